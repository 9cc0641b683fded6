import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurnTaking, type TurnTaking } from '../../../component/server/turn-taking.ts'
import { createPromiseGate, type PromiseGate } from '../../helpers/promise-gate.ts'

interface Scene {
  readonly turns: TurnTaking
  readonly time: { nowMs: number }
  /** The turn of the others ends when it opens. */
  readonly others: PromiseGate
  readonly resumed: () => number
}

function scene(): Scene {
  const time = { nowMs: 1_000 }
  const others = createPromiseGate()
  let resumed = 0
  const clock = {
    wallMs: () => time.nowMs,
    monotonicMs: () => time.nowMs,
    after: () => ({ cancel: () => undefined })
  }
  const turns = createTurnTaking(
    clock,
    () => (resumed += 1),
    () => others.promise
  )
  return { time, others, turns, resumed: () => resumed }
}

test('after eight requests others have their turn, then the connection goes on', async () => {
  const { turns, others, resumed } = scene()
  for (let count = 0; count < 7; count += 1) turns.served()
  assert.equal(turns.isYielding, false)
  turns.served()
  turns.served()
  assert.equal(turns.isYielding, true)
  assert.equal(resumed(), 0)
  others.open()
  await others.promise
  await Promise.resolve()
  assert.equal(turns.isYielding, false)
  assert.equal(resumed(), 1)
})

test('one request that takes long is a turn', () => {
  const { turns, time } = scene()
  time.nowMs += 0.2
  turns.served()
  assert.equal(turns.isYielding, false)
  time.nowMs += 0.1
  turns.served()
  assert.equal(turns.isYielding, true)
})

test('what arrives has a turn of its own', () => {
  const { turns, time } = scene()
  for (let count = 0; count < 20; count += 1) {
    time.nowMs += 10
    turns.begin(time.nowMs)
    turns.served()
  }
  assert.equal(turns.isYielding, false)
})
