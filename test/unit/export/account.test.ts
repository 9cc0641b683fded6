import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeAccount, encodeAccount } from '../../../component/export/account-codec.ts'
import {
  accountingOf,
  droppedCount,
  fateOf,
  openAccount,
  pass,
  passOver,
  withDropped,
  withSkipped,
  type Account,
  type Fate,
  type FateRange
} from '../../../component/export/account.ts'
import type { Removal } from '../../../component/model/removal.ts'

const exported = (...numbers: number[]): FateRange[] => numbers.map((number) => fateOf(number, { kind: 'exported' }))

const REMOVALS: readonly Removal[] = [
  { from: 2, below: 5, cause: 'expired' },
  { from: 5, below: 8, cause: 'overwritten' }
]

describe('an account', () => {
  it('takes what has no fate for lost, by what retention says of it, else to damage', () => {
    const { account, losses } = pass(openAccount(0, 0), 0, 12, exported(1, 3, 9), REMOVALS)
    assert.deepEqual(losses, [
      { first: 0, last: 0, cause: 'damaged' },
      { first: 2, last: 2, cause: 'expired' },
      { first: 4, last: 4, cause: 'expired' },
      { first: 5, last: 7, cause: 'overwritten' },
      { first: 8, last: 8, cause: 'damaged' },
      { first: 10, last: 11, cause: 'damaged' }
    ])
    assert.deepEqual(
      [account.exported, account.dropped],
      [3, { overwritten: 3, expired: 2, reclaimed: 0, evicted: 0, damaged: 4 }]
    )
    assert.equal(account.exported + droppedCount(account), 12)
  })

  it('does not count what lies below its origin, nor fates outside of the stretch', () => {
    const { account } = pass(openAccount(5, 0), 3, 7, exported(3, 4, 5, 6, 7), [])
    assert.deepEqual([account.exported, droppedCount(account)], [2, 0])
  })

  it('skips what a changed start passes over, but not what had its fate already', () => {
    const account = passOver(openAccount(2, 0), 0, 10, exported(4), 'moved')
    assert.deepEqual([account.exported, account.skipped], [1, 7])
    assert.deepEqual(account.skippedRanges, [
      { first: 2, last: 3, count: 2, reason: 'moved' },
      { first: 5, last: 9, count: 5, reason: 'moved' }
    ])
  })

  it('counts neighbours that are told of together as if each was told of alone', () => {
    const fates: readonly Fate[] = [{ kind: 'exported' }, { kind: 'skipped', reason: 'told so' }, { kind: 'expired' }]
    for (const fate of fates) {
      for (const [first, last] of [
        [3, 6],
        [0, 12],
        [4, 4],
        [8, 12]
      ] as const) {
        const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index)
        const singly = numbers.map((number) => fateOf(number, fate))
        const together = [{ first, last, fate }]
        const before = openAccount(2, 0)
        assert.deepEqual(pass(before, 1, 10, together, REMOVALS), pass(before, 1, 10, singly, REMOVALS))
        assert.deepEqual(passOver(before, 1, 10, together, 'moved'), passOver(before, 1, 10, singly, 'moved'))
      }
    }
  })

  it('joins neighbours of one reason, and keeps no more ranges than it has room for', () => {
    let account = openAccount(0, 0)
    for (let number = 0; number < 4; number += 1) account = withSkipped(account, number, number, 'a')
    account = withSkipped(account, 4, 4, 'b')
    assert.deepEqual(
      account.skippedRanges.map(({ first, last, reason }) => [first, last, reason]),
      [
        [0, 3, 'a'],
        [4, 4, 'b']
      ]
    )
    for (let number = 10; number < 1_000; number += 2) account = withSkipped(account, number, number, 'a')
    assert.equal(account.skippedRanges.length, 16)
    // Scattered ones of one reason share the last range, and say how many they are.
    assert.deepEqual(account.skippedRanges.at(-1), { first: 36, last: 998, count: 482, reason: 'a' })
    for (let number = 1_000; number < 1_100; number += 1) account = withSkipped(account, number, number, `${number}`)
    assert.equal(account.skippedRanges.length, 16)
    assert.equal(account.skippedRanges[0]?.first, 1_084)
    assert.equal(account.skipped, 5 + 495 + 100)
  })

  it('tells what waits, and counts what is done ahead of the position', () => {
    const account: Account = { ...openAccount(10, 0), exported: 5 }
    const ahead: Fate[] = [{ kind: 'exported' }, { kind: 'skipped', reason: 'r' }]
    const { exported: sent, skipped, waiting, position } = accountingOf(account, 15, ahead, 20)
    assert.deepEqual({ sent, skipped, waiting, position }, { sent: 6, skipped: 1, waiting: 3, position: 15 })
    assert.equal(accountingOf(openAccount(100, 0), 100, [], 20).waiting, 0)
  })

  it('comes back from the catalogue, and bad values are none', () => {
    let account = withSkipped(openAccount(3, 2), 4, 4, 'Reason: "quoted"')
    account = withDropped({ ...account, exported: 1 }, 5, 9, 'damaged')
    account = withDropped(withDropped(account, 10, 11, 'reclaimed'), 12, 14, 'evicted')
    assert.deepEqual(decodeAccount(JSON.parse(JSON.stringify(encodeAccount(account)))), account)
    const good = JSON.parse(JSON.stringify(encodeAccount(account))) as unknown[]
    for (let place = 0; place < good.length; place += 1) {
      for (const bad of [null, -1, 0.5, 'x', [[1, 2]], {}])
        assert.equal(decodeAccount(good.with(place, bad)), undefined, `${place}: ${JSON.stringify(bad)}`)
    }
    assert.equal(decodeAccount(good.slice(0, 8)), undefined)
  })

  it('of an earlier version, without reclaimed and evicted messages, is read as it was', () => {
    const account = {
      ...openAccount(3, 2),
      dropped: { overwritten: 4, expired: 5, reclaimed: 0, evicted: 0, damaged: 6 }
    }
    const earlier = JSON.parse(JSON.stringify(encodeAccount(account).slice(0, 9))) as unknown[]
    assert.equal(earlier.length, 9)
    assert.deepEqual(decodeAccount(earlier), account)
    assert.equal(decodeAccount(null), undefined)
  })
})
