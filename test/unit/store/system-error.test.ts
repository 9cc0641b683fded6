import assert from 'node:assert/strict'
import { test } from 'node:test'
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
