import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createByteBudget } from '../../../component/base/byte-budget.ts'

test('a budget gives no more than it has', () => {
  const budget = createByteBudget(100)
  assert.equal(budget.tryReserve(60), true)
  assert.equal(budget.tryReserve(41), false)
  assert.equal(budget.used, 60)
  budget.release(60)
  assert.equal(budget.tryReserve(100), true)
})

test('wishes are granted in order, and none overtakes a larger one before it', () => {
  const budget = createByteBudget(100)
  const granted: string[] = []
  budget.reserve(80, () => granted.push('first'))
  budget.reserve(50, () => granted.push('large'))
  budget.reserve(10, () => granted.push('small'))
  assert.deepEqual(granted, ['first'])
  budget.release(80)
  assert.deepEqual(granted, ['first', 'large', 'small'])
  assert.equal(budget.used, 60)
})

test('a wish beyond the whole budget is granted when nothing else is held', () => {
  const budget = createByteBudget(100)
  let isGranted = false
  budget.reserve(1, () => undefined)
  budget.reserve(1_000, () => (isGranted = true))
  assert.equal(isGranted, false)
  budget.release(1)
  assert.equal(isGranted, true)
  assert.equal(budget.tryReserve(1), false)
})

test('a withdrawn wish takes nothing', () => {
  const budget = createByteBudget(10)
  budget.reserve(10, () => undefined)
  const withdraw = budget.reserve(5, () => assert.fail('it was withdrawn'))
  withdraw()
  budget.release(10)
  assert.equal(budget.used, 0)
})

test('a withdrawn wish lets those behind it go on', () => {
  const budget = createByteBudget(10)
  budget.reserve(6, () => undefined)
  const withdraw = budget.reserve(8, () => assert.fail('it was withdrawn'))
  let isGranted = false
  budget.reserve(4, () => (isGranted = true))
  withdraw()
  assert.equal(isGranted, true)
})

test('giving back more than was taken is a bug', () => {
  assert.throws(() => createByteBudget(10).release(1), { name: 'BrokenInvariant' })
})
