import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32 } from '../../../../component/base/crc32.ts'
import { decodeSnapshot, encodeSnapshot } from '../../../../component/store/catalogue/snapshot-codec.ts'

const encode = (entries: readonly (readonly [string, Buffer])[]): Buffer => Buffer.concat([...encodeSnapshot(entries)])

const SMALL: readonly (readonly [string, Buffer])[] = [
  ['stream/1', Buffer.from('definition')],
  ['empty', Buffer.alloc(0)],
  ['export/1/a b', Buffer.from([0, 255])]
]

test('the format is as documented', () => {
  const bytes = encode([['k', Buffer.from('vw')]])
  const header = '45534d434154534e' + '01000000' + '01000000'
  const headerCrc = Buffer.alloc(4)
  headerCrc.writeUInt32LE(crc32(Buffer.from(header, 'hex')))
  const body = Buffer.concat([Buffer.from(header, 'hex'), headerCrc, Buffer.from('0100020000006b7677', 'hex')])
  const trailer = Buffer.alloc(4)
  trailer.writeUInt32LE(crc32(body))
  assert.equal(bytes.toString('hex'), Buffer.concat([body, trailer]).toString('hex'))
})

test('any entries come back, also over many pieces', () => {
  const key = fc.stringMatching(/^[\x20-\x7e]{1,480}$/)
  const value = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(200_000)))
  const entries = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 8 })
  fc.assert(
    fc.property(entries, (list) => {
      const buffers = list.map(([name, bytes]) => [name, Buffer.from(bytes)] as const)
      assert.deepEqual(decodeSnapshot(encode(buffers)), { kind: 'entries', entries: new Map(buffers) })
    }),
    { numRuns: 50 }
  )
})

test('a snapshot with any bit flipped is damaged, never other entries and never a newer format', () => {
  const bytes = encode(SMALL)
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(decodeSnapshot(flipped).kind, 'damaged', `bit ${bit}`)
  }
})

test('a snapshot cut at any length, or with bytes behind it, is damaged', () => {
  const bytes = encode(SMALL)
  for (let length = 0; length < bytes.length; length += 1) {
    assert.equal(decodeSnapshot(bytes.subarray(0, length)).kind, 'damaged', `length ${length}`)
  }
  assert.equal(decodeSnapshot(Buffer.concat([bytes, Buffer.alloc(1)])).kind, 'damaged')
})

test('a newer format is told from damage', () => {
  const header = Buffer.from(encode([]).subarray(0, 20))
  header.writeUInt32LE(2, 8)
  header.writeUInt32LE(crc32(header.subarray(0, 16)), 16)
  const newer = Buffer.concat([header, Buffer.from('whatever comes then')])
  assert.deepEqual(decodeSnapshot(newer), { kind: 'newerFormat', version: 2 })
})

test('lengths that lead beyond the end are damage although all checksums fit', () => {
  const body = Buffer.from(encode([['k', Buffer.from('v')]]).subarray(0, -4))
  body.writeUInt32LE(0xffff_fff0, 22)
  const trailer = Buffer.alloc(4)
  trailer.writeUInt32LE(crc32(body))
  assert.equal(decodeSnapshot(Buffer.concat([body, trailer])).kind, 'damaged')
})
