import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { Fault } from '../../../component/base/fault.ts'
import {
  createEventStreamDecoder,
  encodeEventStreamFrame,
  type EventStreamFrame
} from '../../../component/greengrass/event-stream.ts'

/** Sent by the AWS IoT Device SDK for JavaScript 1.28.0: a connect message and a request. */
const SDK_CONNECT = Buffer.from(
  '0000007800000048d487bdc5083a76657273696f6e070005302e312e300d3a6d6573736167652d7479706504000000040e3a6d657373616765' +
    '2d666c61677304000000000a3a73747265616d2d696404000000007b2261757468546f6b656e223a224142434445464748494a4b4c4d4e4f' +
    '50227dfc808abe',
  'hex'
)
const SDK_REQUEST = Buffer.from(
  '000000990000006d8a3787ed0d3a6d6573736167652d7479706504000000000e3a6d6573736167652d666c61677304000000000a3a73747265' +
    '616d2d69640400000001096f7065726174696f6e0700296177732e677265656e67726173732356616c6964617465417574686f72697a6174' +
    '696f6e546f6b656e7b22746f6b656e223a225152535455565758595a303132333435227d84a7a206',
  'hex'
)
const CONNECT_HEADERS = [
  [':version', '0.1.0'],
  [':message-type', 4],
  [':message-flags', 0],
  [':stream-id', 0]
] as const
const FRAME_BYTES_MAX = 1_000

/** What a decoder makes of these chunks; throws what it throws. */
function decode(...chunks: readonly Buffer[]): EventStreamFrame[] {
  const frames: EventStreamFrame[] = []
  const decoder = createEventStreamDecoder(FRAME_BYTES_MAX, (frame) => void frames.push(frame))
  for (const chunk of chunks) decoder.push(chunk)
  return frames
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A frame with right checksums around whatever headers and lengths. */
function frameOf(headers: Buffer, payload = Buffer.alloc(0), headersLength = headers.length): Buffer {
  const lengths = Buffer.concat([u32(16 + headers.length + payload.length), u32(headersLength)])
  const start = Buffer.concat([lengths, u32(crc32(lengths)), headers, payload])
  return Buffer.concat([start, u32(crc32(start))])
}

describe('encoding', () => {
  it('gives the bytes that the official SDK sends', () => {
    const payload = Buffer.from('{"authToken":"ABCDEFGHIJKLMNOP"}')
    assert.deepEqual(encodeEventStreamFrame(CONNECT_HEADERS, payload), SDK_CONNECT)
  })

  it('refuses names and texts that the format has no room for', () => {
    for (const name of ['', 'n'.repeat(256)])
      assert.throws(() => encodeEventStreamFrame([[name, 1]], Buffer.alloc(0)), Fault)
    assert.throws(() => encodeEventStreamFrame([['n', 'x'.repeat(32_768)]], Buffer.alloc(0)), Fault)
  })
})

describe('decoding', () => {
  it('reads what the official SDK sends', () => {
    const [connect, request] = decode(Buffer.concat([SDK_CONNECT, SDK_REQUEST]))
    assert.deepEqual([...connect!.headers], CONNECT_HEADERS)
    assert.equal(connect!.payload.toString(), '{"authToken":"ABCDEFGHIJKLMNOP"}')
    assert.equal(request!.headers.get('operation'), 'aws.greengrass#ValidateAuthorizationToken')
    assert.equal(request!.headers.get(':stream-id'), 1)
    assert.equal(request!.payload.toString(), '{"token":"QRSTUVWXYZ012345"}')
  })

  it('does not depend on where the bytes are split', () => {
    const bytes = Buffer.concat([SDK_CONNECT, SDK_REQUEST])
    const whole = decode(bytes)
    for (let at = 0; at <= bytes.length; at += 1)
      assert.deepEqual(decode(bytes.subarray(0, at), bytes.subarray(at)), whole, `split at ${at}`)
    assert.deepEqual(decode(...[...bytes].map((byte) => Buffer.of(byte))), whole)
  })

  it('hands on nothing before the last byte', () => {
    for (let length = 0; length < SDK_CONNECT.length; length += 1)
      assert.deepEqual(decode(SDK_CONNECT.subarray(0, length)), [])
  })

  it('knows every type of header', () => {
    const header = (type: number, ...value: number[]): Buffer => Buffer.of(1, 0x41 + type, type, ...value)
    const headers = Buffer.concat([
      header(0),
      header(1),
      header(2, 0xff),
      header(3, 0x80, 0),
      header(4, 0x7f, 0xff, 0xff, 0xff),
      header(5, 1, 2, 3, 4, 5, 6, 7, 8),
      header(6, 0, 2, 0xaa, 0xbb),
      header(7, 0, 3, 0xe2, 0x82, 0xac),
      header(8, 0, 0, 0, 0, 0, 0, 0, 9),
      header(9, ...Buffer.alloc(16, 7))
    ])
    assert.deepEqual(
      [...decode(frameOf(headers))[0]!.headers.values()],
      [
        true,
        false,
        -1,
        -32_768,
        2 ** 31 - 1,
        Buffer.of(1, 2, 3, 4, 5, 6, 7, 8),
        Buffer.of(0xaa, 0xbb),
        '€',
        Buffer.of(0, 0, 0, 0, 0, 0, 0, 9),
        Buffer.alloc(16, 7)
      ]
    )
  })

  it('takes an empty frame', () => {
    const [frame] = decode(frameOf(Buffer.alloc(0)))
    assert.deepEqual([frame!.headers.size, frame!.payload.length], [0, 0])
  })

  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(SDK_CONNECT)
    bytes[at]! ^= 1
    return bytes
  }
  it('notices every flipped bit', () => {
    for (let at = 0; at < SDK_CONNECT.length; at += 1) assert.throws(() => decode(flipped(at)), Fault, `byte ${at}`)
  })

  const impossible: readonly [what: string, bytes: Buffer, text: RegExp][] = [
    ['a frame beyond the limit', frameOf(Buffer.alloc(0), Buffer.alloc(FRAME_BYTES_MAX - 15)), /1001 bytes/],
    [
      'a frame shorter than its own envelope',
      ((lengths) => Buffer.concat([lengths, u32(crc32(lengths))]))(Buffer.concat([u32(15), u32(0)])),
      /15 bytes/
    ],
    ['headers that reach beyond the frame', frameOf(Buffer.alloc(0), Buffer.alloc(4), 5), /longer than the frame/],
    ['a header without its value', frameOf(Buffer.of(1, 0x41, 4, 0, 0, 0)), /cut off/],
    ['a name beyond the headers', frameOf(Buffer.of(200, 0x41)), /cut off/],
    ['a text beyond the headers', frameOf(Buffer.of(1, 0x41, 7, 0xff, 0xff, 0)), /cut off/],
    ['an unknown type of header', frameOf(Buffer.of(1, 0x41, 10)), /unknown type 10/],
    ['a header that comes twice', frameOf(Buffer.of(1, 0x41, 0, 1, 0x41, 1)), /twice/]
  ]
  for (const [what, bytes, text] of impossible) {
    it(`refuses ${what}`, () => {
      assert.throws(() => decode(bytes), { name: 'Fault', message: text })
    })
  }

  it('takes a frame of just the limit', () => {
    assert.equal(decode(frameOf(Buffer.alloc(0), Buffer.alloc(FRAME_BYTES_MAX - 16))).length, 1)
  })

  it('decodes nothing more after bytes that are no event stream', () => {
    const frames: EventStreamFrame[] = []
    const decoder = createEventStreamDecoder(FRAME_BYTES_MAX, (frame) => void frames.push(frame))
    assert.throws(() => decoder.push(flipped(20)), Fault)
    decoder.push(SDK_CONNECT)
    assert.deepEqual(frames, [])
  })

  it('ends random bytes with a Fault, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 60 }), (bytes) => {
        assert.throws(() => decode(frameOf(Buffer.from(bytes), Buffer.alloc(0), bytes.length + 1)), Fault)
        try {
          decode(frameOf(Buffer.from(bytes)))
        } catch (error) {
          assert.ok(error instanceof Fault)
        }
      })
    )
  })
})

it('what is encoded is decoded', () => {
  const text = fc.string({ maxLength: 20 })
  const header = fc.tuple(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.oneof(text, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
  )
  const headers = fc.uniqueArray(header, { maxLength: 5, selector: ([name]) => name })
  fc.assert(
    fc.property(headers, fc.uint8Array({ maxLength: 200 }), (wanted, payload) => {
      const [frame] = decode(encodeEventStreamFrame(wanted, payload))
      assert.deepEqual([...frame!.headers], wanted)
      assert.deepEqual(frame!.payload, Buffer.from(payload))
    })
  )
})
