import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hintFor } from '../../../component/base/nearest.ts'

it('hints at what is near, and at nothing else', () => {
  assert.equal(hintFor('batchsize', ['batchSize', 'priority']), ' (did you mean "batchSize"?)')
  assert.equal(hintFor('pirority', ['batchSize', 'priority']), ' (did you mean "priority"?)')
  assert.equal(hintFor('x', ['batchSize']), '')
  assert.equal(hintFor('y'.repeat(1000), ['y'.repeat(999)]), '')
})
