import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../../component/base/fault.ts'
import { nodeCatalogueFiles } from '../../../../component/store/catalogue/catalogue-files.ts'

test('an error while the start of a database is read is a fault, not a bug', async (t) => {
  // Nothing is mapped at the start of the memory of a process: to read there is an I/O error.
  const file = await nodeCatalogueFiles.openData('/proc/self/mem')
  t.after(() => file.close())
  assert.throws(() => file.readStart(4_096), { constructor: Fault, message: /^cannot read \/proc\/self\/mem: .*EIO/ })
})
