import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32 } from '../../../component/base/crc32.ts'
import { createMemoryDisk } from '../../../component/store/index.ts'
import {
  encodeSegmentHeader,
  NewerFormatFault,
  parseSegmentHeader,
  readSegmentHeader
} from '../../../component/store/segment-header.ts'
import { parseSegmentName, segmentName } from '../../../component/store/segment-name.ts'

const HEADER = { streamId: 'stream', createdMs: 1_700_000_000_000, metadata: Buffer.from('meta'), isAfterGap: false }

/** A header of another version with a checksum that is right. */
function withVersion(version: number): Buffer {
  const bytes = encodeSegmentHeader(HEADER)
  bytes.writeUInt16LE(version, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(20), crc32(bytes.subarray(0, 16))), 16)
  return bytes
}

describe('a segment header', () => {
  it('has the documented layout', () => {
    assert.equal(
      encodeSegmentHeader(HEADER).toString('hex'),
      '45534d4c4f470d0a010000002e000000cadcac7d0068e5cf8b0100000600000073747265616d040000006d657461'
    )
  })

  it('gives back what was written', () => {
    for (const header of [HEADER, { ...HEADER, metadata: Buffer.alloc(100_000, 'x'), isAfterGap: true }]) {
      const bytes = encodeSegmentHeader(header)
      assert.deepEqual(parseSegmentHeader(bytes), { kind: 'valid', header, bytes: bytes.length })
    }
  })

  it('is damaged when any bit is flipped or any byte is missing', () => {
    const original = encodeSegmentHeader(HEADER)
    for (let bit = 0; bit < original.length * 8; bit++) {
      const bytes = Buffer.from(original)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(parseSegmentHeader(bytes).kind, 'damaged', `bit ${bit}`)
    }
    for (let length = 0; length < original.length; length++) {
      assert.equal(parseSegmentHeader(original.subarray(0, length)).kind, 'damaged')
    }
  })

  it('tells a newer format from damage', () => {
    assert.deepEqual(parseSegmentHeader(withVersion(2)), { kind: 'newer', version: 2 })
    assert.equal(parseSegmentHeader(withVersion(0)).kind, 'damaged')
  })

  it('is read from a file of any length', () => {
    const disk = createMemoryDisk({ bytesMax: 1_000_000 })
    disk.makeFolder('/f')
    const write = (path: string, bytes: Buffer) => {
      const file = disk.createFile(path)
      file.write([bytes], 0)
      return file
    }
    const large = { ...HEADER, metadata: Buffer.alloc(10_000, 'x') }
    assert.deepEqual(readSegmentHeader(write('/f/a', encodeSegmentHeader(large)), '/f/a'), {
      kind: 'valid',
      header: large,
      bytes: encodeSegmentHeader(large).length
    })
    assert.equal(
      readSegmentHeader(write('/f/b', encodeSegmentHeader(large).subarray(0, 9_000)), '/f/b').kind,
      'damaged'
    )
    assert.equal(readSegmentHeader(write('/f/c', Buffer.alloc(0)), '/f/c').kind, 'damaged')
    assert.throws(() => readSegmentHeader(write('/f/d', withVersion(2)), '/f/d'), NewerFormatFault)
  })
})

describe('a segment name', () => {
  it('is the base in 19 digits', () => {
    assert.equal(segmentName(42), '0000000000000000042.log')
    assert.equal(parseSegmentName('0000000000000000042.log'), 42)
  })

  it('is nothing else', () => {
    for (const name of ['42.log', 'spare.log', '0000000000000000042.log.corrupt', '9999999999999999999.log', '']) {
      assert.equal(parseSegmentName(name), undefined)
    }
  })
})
