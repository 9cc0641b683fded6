import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RECORD_HEADER_BYTES, writeRecord, writeUint64 } from '../../../component/store/record.ts'
import { findRecord, findRecordInOrder, type RecordSearch } from '../../../component/store/record-search.ts'
import type { TolerantReader } from '../../../component/store/tolerant-reader.ts'

const SEED = 99
const BOUNDS = { sequenceMin: 5, sequenceEnd: 2 ** 40 }

/** A reader over these bytes that counts what it reads. */
function readerOf(bytes: Buffer) {
  const reader = {
    bytesRead: 0,
    fault: undefined,
    read(position: number, length: number): Promise<Buffer> {
      const part = bytes.subarray(position, position + length)
      reader.bytesRead += part.length
      return Promise.resolve(part)
    }
  }
  return reader
}

const searchIn = (reader: TolerantReader, end: number): RecordSearch => ({ reader, end, bounds: BOUNDS, seed: SEED })

describe('the search for the next record', () => {
  it('finds it at any distance, also across its windows', async () => {
    for (const distance of [0, 1, 1_000, 1024 * 1024 - 12, 1024 * 1024, 3 * 1024 * 1024 + 7]) {
      const bytes = Buffer.alloc(distance + RECORD_HEADER_BYTES + 5 + 100, 0xee)
      writeRecord(bytes, distance, Buffer.from('hello'), 7, 1, SEED)
      assert.equal(await findRecord(searchIn(readerOf(bytes), bytes.length), 0), distance)
    }
  })

  it('finds a record larger than its window', async () => {
    const bytes = Buffer.alloc(10 + RECORD_HEADER_BYTES + 3_000_000)
    writeRecord(bytes, 10, Buffer.alloc(3_000_000, 'x'), 7, 1, SEED)
    assert.equal(await findRecord(searchIn(readerOf(bytes), bytes.length), 0), 10)
  })

  it('passes over records that cannot come there', async () => {
    const bytes = Buffer.alloc(200)
    writeRecord(bytes, 10, Buffer.from('too low'), 4, 1, SEED)
    writeRecord(bytes, 60, Buffer.from('of another stream'), 6, 1, SEED + 1)
    writeRecord(bytes, 130, Buffer.from('next'), 6, 1, SEED)
    assert.equal(await findRecord(searchIn(readerOf(bytes), bytes.length), 0), 130)
    assert.equal(await findRecord(searchIn(readerOf(bytes), bytes.length), 131), 200)
  })

  it('takes linear time for bytes that were made to look like large records', async () => {
    const bytes = Buffer.alloc(4 * 1024 * 1024)
    for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length; at += RECORD_HEADER_BYTES) {
      bytes.writeUInt32LE(Math.max(1, bytes.length - at - RECORD_HEADER_BYTES), at + 4)
      writeUint64(bytes, at + 8, 7)
      writeUint64(bytes, at + 16, 1)
    }
    const reader = readerOf(bytes)
    assert.equal(await findRecord(searchIn(reader, bytes.length), 0), bytes.length)
    assert.ok(reader.bytesRead < 8 * bytes.length, `${reader.bytesRead} bytes were read`)
  })

  it('ends at the end of a file that is shorter than it should be', async () => {
    assert.equal(await findRecord(searchIn(readerOf(Buffer.alloc(100)), 1_000), 0), 1_000)
  })
})

describe('the search for the next record in order', () => {
  /** Records of these numbers, one behind the other. */
  function fileOf(...numbers: readonly number[]): Buffer {
    const bytes = Buffer.alloc(numbers.length * (RECORD_HEADER_BYTES + 6))
    let end = 0
    for (const number of numbers) end = writeRecord(bytes, end, Buffer.alloc(6, number), number, 1, SEED)
    return bytes
  }
  const placeOf = async (bytes: Buffer): Promise<number> =>
    (await findRecordInOrder(searchIn(readerOf(bytes), bytes.length), 0)) / (RECORD_HEADER_BYTES + 6)

  it('passes over a block that was written over an earlier place', async () => {
    assert.equal(await placeOf(fileOf(20, 21, 8, 9, 19, 20, 21)), 2)
    assert.equal(await placeOf(fileOf(20, 21, 8, 9)), 2)
  })

  it('takes a record whose neighbours before it are lost', async () => {
    assert.equal(await placeOf(fileOf(5, 6)), 0)
    assert.equal(await placeOf(fileOf(20, 21)), 0)
    assert.equal(await placeOf(fileOf(20, 21, 25, 26)), 0)
    assert.equal(await placeOf(fileOf(3, 20, 4, 21)), 1)
  })

  it('takes a long run for what belongs there, whatever follows', async () => {
    const long = Array.from({ length: 3_000 }, (_, index) => 20 + index)
    assert.equal(await placeOf(fileOf(...long, 8)), 0)
  })
})
