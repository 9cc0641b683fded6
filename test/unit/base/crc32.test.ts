import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, crc32Within, tableCrc32 } from '../../../component/base/crc32.ts'

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

test('a checksum of a few bytes in the middle is that of their copy', () => {
  const bytes = Buffer.from(Array.from({ length: 100 }, (_, index) => (index * 31) & 0xff))
  for (const [start, end] of [
    [0, 0],
    [3, 23],
    [10, 100]
  ] as const) {
    assert.equal(crc32Within(bytes, start, end, 5), tableCrc32(bytes.subarray(start, end), 5))
  }
})
