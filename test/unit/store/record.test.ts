import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  hasValidChecksum,
  ingestTimeAt,
  isPlausibleHeader,
  payloadLengthAt,
  readUint64,
  RECORD_HEADER_BYTES,
  recordSeed,
  sequenceAt,
  writeRecord,
  writeUint64
} from '../../../component/store/record.ts'

const SEED = recordSeed('stream')
const BOUNDS = { sequenceMin: 0, sequenceEnd: 2 ** 53 }

function encode(payload: string, sequence = 7, ingestTimeMs = 1_700_000_000_000): Buffer {
  const record = Buffer.alloc(RECORD_HEADER_BYTES + payload.length)
  assert.equal(writeRecord(record, 0, Buffer.from(payload), sequence, ingestTimeMs, SEED), record.length)
  return record
}

describe('a record', () => {
  it('has the documented layout', () => {
    // The stored format: changing it makes existing stores unreadable.
    assert.equal(encode('abc').toString('hex'), 'b653653f0300000007000000000000000068e5cf8b010000616263')
  })

  it('gives back what was written', () => {
    for (const sequence of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 2]) {
      const record = encode('payload', sequence)
      assert.equal(sequenceAt(record, 0), sequence)
      assert.equal(payloadLengthAt(record, 0), 7)
      assert.equal(ingestTimeAt(record, 0), 1_700_000_000_000)
      assert.ok(hasValidChecksum(record, 0, record.length, SEED))
      assert.ok(isPlausibleHeader(record, 0, BOUNDS, record.length))
    }
  })

  it('fails its checksum when any bit is flipped', () => {
    const original = encode('payload')
    for (let bit = 0; bit < original.length * 8; bit++) {
      const record = Buffer.from(original)
      record[bit >> 3] = (record[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.ok(!hasValidChecksum(record, 0, record.length, SEED), `bit ${bit}`)
    }
  })

  it('is no record of another stream', () => {
    const record = encode('payload')
    assert.ok(!hasValidChecksum(record, 0, record.length, recordSeed('another')))
  })

  it('is implausible with a length of 0, beyond the end, or with a number out of bounds', () => {
    const record = encode('payload')
    assert.ok(!isPlausibleHeader(record, 0, BOUNDS, record.length - 1))
    assert.ok(!isPlausibleHeader(record, 0, { sequenceMin: 8, sequenceEnd: 100 }, record.length))
    assert.ok(!isPlausibleHeader(record, 0, { sequenceMin: 0, sequenceEnd: 7 }, record.length))
    assert.ok(!isPlausibleHeader(Buffer.alloc(100), 0, BOUNDS, 100))
  })
})

describe('a 64-bit number', () => {
  it('is exact up to 2^53 - 1 and not a number beyond', () => {
    const buffer = Buffer.alloc(8)
    writeUint64(buffer, 0, Number.MAX_SAFE_INTEGER)
    assert.equal(buffer.toString('hex'), 'ffffffffffff1f00')
    assert.equal(readUint64(buffer, 0), Number.MAX_SAFE_INTEGER)
    assert.ok(Number.isNaN(readUint64(Buffer.from('0000000000002000', 'hex'), 0)))
  })
})
