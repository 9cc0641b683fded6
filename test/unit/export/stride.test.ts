import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStride } from '../../../component/export/stride.ts'

test('nothing holds a batch back at first, and requests without leftovers change nothing', () => {
  const stride = createStride()
  stride.learn(500, 0)
  assert.equal(stride.countMax, Infinity)
})

test('twice what was sent is offered after leftovers, and doubles when all is taken', () => {
  const stride = createStride()
  stride.learn(10, 490)
  assert.equal(stride.countMax, 20)
  stride.learn(20, 0)
  assert.equal(stride.countMax, 40)
})

test('a request that sent nothing teaches nothing', () => {
  const stride = createStride()
  stride.learn(10, 490)
  stride.learn(0, 20)
  assert.equal(stride.countMax, 20)
})
