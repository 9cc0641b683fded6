import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'

test('a fault of another copy of the class is a fault, and of no subclass of this one', async () => {
  // Another address makes another module of the same file.
  const copy = (await import(`${import.meta.resolve('../../../component/base/fault.ts')}?copy`)) as {
    readonly Fault: typeof Fault
  }
  assert.notEqual(copy.Fault, Fault)
  class OwnFault extends Fault {}
  const foreign: unknown = new copy.Fault('broken')
  assert.equal(foreign instanceof Fault, true)
  assert.equal(foreign instanceof OwnFault, false)
  const own: unknown = new OwnFault('broken')
  assert.deepEqual([own instanceof OwnFault, own instanceof Fault, own instanceof copy.Fault], [true, true, true])
  for (const other of [new Error('broken'), undefined, null, 'broken', {}]) assert.equal(other instanceof Fault, false)
})
