import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, createTableCrc32 } from '../../../component/base/crc32.ts'

const tableCrc32 = createTableCrc32()

test('the check value of CRC-32 comes out of both implementations', () => {
  const bytes = Buffer.from('123456789')
  assert.equal(crc32(bytes), 0xcbf43926)
  assert.equal(tableCrc32(bytes), 0xcbf43926)
})

test('a checksum over two parts equals the one over the whole', () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7) & 0xff))
  for (const run of [crc32, tableCrc32]) {
    assert.equal(run(bytes.subarray(300), run(bytes.subarray(0, 300))), crc32(bytes))
    assert.equal(run(Buffer.alloc(0), 17), 17)
  }
})
