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

test('checksums of all short lengths, from any place on, are what the definition says', () => {
  const bytes = Buffer.from(Array.from({ length: 160 }, (_, index) => (index * 151 + 13) & 0xff))
  const bitwise = (part: Uint8Array, seed: number): number => {
    let crc = ~seed
    for (const byte of part) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    }
    return ~crc >>> 0
  }
  for (const seed of [0, 5, 0xffffffff]) {
    for (let start = 0; start < 5; start++) {
      for (let end = start; end <= bytes.length; end++) {
        const expected = bitwise(bytes.subarray(start, end), seed)
        assert.equal(crc32Within(bytes, start, end, seed), expected)
        assert.equal(crc32(bytes.subarray(start, end), seed), expected)
      }
    }
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
