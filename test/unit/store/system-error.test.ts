import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileSystemSize } from '../../../component/store/index.ts'
import { diskFault, systemError, writeProblem } from '../../../component/store/system-error.ts'

test('each reason why nothing can be written has its own sentence, through any number of causes', () => {
  const codes = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO']
  const sentences = codes.map((code) =>
    writeProblem(diskFault('write', '/a', diskFault('write', '/a', systemError(code, 'x'))))
  )
  assert.equal(new Set(sentences).size, codes.length)
  assert.equal(sentences.includes(undefined), false)
  assert.equal(writeProblem(systemError('ENOENT', 'x')), undefined)
  assert.equal(writeProblem('EIO'), undefined)
})

test('the size of a file system is told, and a missing folder is a fault', () => {
  const { bytes, inodes } = fileSystemSize(import.meta.dirname)
  assert.ok(bytes > 1024 * 1024 && inodes >= 0)
  assert.throws(() => fileSystemSize('/nothing/here'), /^Fault: cannot look at the file system of \/nothing\/here/)
})
