import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextSlice, nextTurn } from '../../../component/base/turn.ts'

test('one of those who wait for a slice goes on in each turn, in the order of their coming', async () => {
  const gone: string[] = []
  const work = async (name: string): Promise<void> => {
    await nextSlice()
    gone.push(name)
    await nextSlice()
    gone.push(name)
  }
  const all = ['first', 'second', 'third'].map(work)
  const inTurns: number[] = []
  for (let turn = 0; turn < 6; turn += 1) {
    await nextTurn()
    inTurns.push(gone.length)
  }
  await Promise.all(all)
  assert.deepEqual(inTurns, [1, 2, 3, 4, 5, 6])
  assert.deepEqual(gone, ['first', 'second', 'third', 'first', 'second', 'third'])
})

test('who comes when nobody waits any more has a slice of the next turn', async () => {
  await nextSlice()
  let isGone = false
  const work = nextSlice().then(() => (isGone = true))
  assert.equal(isGone, false)
  await nextTurn()
  assert.equal(isGone, true)
  await work
})
