import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Decoder, Encoder } from 'cbor-x'
import fc from 'fast-check'
import { decodeCborMap, type CborValue } from '../../../component/protocol/cbor-decoder.ts'
import { recoverRequestId } from '../../../component/protocol/index.ts'
import { CLIENTS, requestVectors } from '../../helpers/vectors.ts'

const library = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true })
const libraryDecoder = new Decoder({ useRecords: false, mapsAsObjects: false })

/** Values of requests, as both decoders are to return them. */
const value = fc.letrec<{ value: CborValue; leaf: CborValue }>((tie) => ({
  leaf: fc.oneof(
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    // The library cannot write -(2^64), the very last one, without a tag.
    fc.bigInt({ min: -(2n ** 64n) + 1n, max: -(2n ** 53n) }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc
      .double()
      .filter((number) => !Number.isInteger(number) || (Number.isSafeInteger(number) && !Object.is(number, -0)))
  ),
  value: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 30 }).map((entries) => new Map(Object.entries(entries)))
  )
})).value

const map = fc.dictionary(fc.string(), value, { maxKeys: 10 }).map((entries) => new Map(Object.entries(entries)))

function toObjects(item: CborValue): unknown {
  if (item instanceof Map) {
    return Object.fromEntries(
      [...(item as ReadonlyMap<string, CborValue>)].map(([key, entry]) => [key, toObjects(entry)])
    )
  }
  if (Array.isArray(item)) return (item as readonly CborValue[]).map(toObjects)
  // The library writes whole numbers beyond 32 bits as floats.
  return typeof item === 'number' && Number.isInteger(item) && Math.abs(item) >= 2 ** 31 ? BigInt(item) : item
}

/** One of the heads that say the same. */
function head(major: number, argument: bigint, width: number): Buffer {
  const least = argument < 24n ? 0 : argument < 2n ** 8n ? 1 : argument < 2n ** 16n ? 2 : argument < 2n ** 32n ? 4 : 8
  const bytes = Math.max(width, least)
  if (bytes === 0) return Buffer.from([(major << 5) | Number(argument)])
  const wide = Buffer.alloc(9)
  wide.writeBigUInt64BE(argument, 1)
  const info = 24 + Math.log2(bytes)
  return Buffer.concat([Buffer.from([(major << 5) | info]), wide.subarray(9 - bytes)])
}

/** Encodes a value in any of its well-formed ways; `choose` picks a number below its argument. */
function encodeAnyhow(item: CborValue, choose: (choices: number) => number): Buffer {
  const size = (length: number): Buffer[] => [Buffer.from([length])]
  const width = (): number => [0, 1, 2, 4, 8][choose(5)]!
  const indefinite = (major: number, parts: readonly Buffer[]): Buffer =>
    Buffer.concat([...size((major << 5) | 31), ...parts, Buffer.from([0xff])])
  const chunked = (major: number, bytes: Buffer): Buffer => {
    if (choose(3) > 0) return Buffer.concat([head(major, BigInt(bytes.length), width()), bytes])
    const cut = choose(bytes.length + 1)
    const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)]
    return indefinite(
      major,
      chunks.map((chunk) => Buffer.concat([head(major, BigInt(chunk.length), width()), chunk]))
    )
  }
  const collection = (major: number, count: number, parts: readonly Buffer[]): Buffer =>
    choose(2) === 0 ? indefinite(major, parts) : Buffer.concat([head(major, BigInt(count), width()), ...parts])

  if (typeof item === 'string') return chunked(3, Buffer.from(item))
  if (Buffer.isBuffer(item)) return chunked(2, item)
  if (typeof item === 'bigint' || (typeof item === 'number' && Number.isSafeInteger(item) && !Object.is(item, -0))) {
    const integer = BigInt(item)
    return integer >= 0n ? head(0, integer, width()) : head(1, -1n - integer, width())
  }
  if (Array.isArray(item)) {
    return collection(
      4,
      item.length,
      (item as readonly CborValue[]).map((part) => encodeAnyhow(part, choose))
    )
  }
  if (item instanceof Map) {
    const entries = [...(item as ReadonlyMap<string, CborValue>)]
    return collection(
      5,
      entries.length,
      entries.flat().map((part) => encodeAnyhow(part, choose))
    )
  }
  return library.encode(item)
}

const assertDecodes = (bytes: Buffer, expected: ReadonlyMap<string, CborValue>): void => {
  const result = decodeCborMap(bytes)
  if (!result.ok) assert.fail(result.reason)
  assert.deepStrictEqual(result.map, expected)
}

describe('the CBOR decoder', () => {
  it('agrees with a CBOR library on what the library encodes', () => {
    fc.assert(
      fc.property(map, (expected) => {
        const bytes = library.encode(toObjects(expected))
        const result = decodeCborMap(bytes)
        if (!result.ok) assert.fail(result.reason)
        assert.deepStrictEqual(result.map, expected)
        assert.deepStrictEqual(toObjects(libraryDecoder.decode(bytes) as CborValue), toObjects(result.map))
      })
    )
  })

  it('reads every encoding of a value as that value', () => {
    fc.assert(
      fc.property(map, fc.infiniteStream(fc.nat()), (expected, numbers) => {
        const choose = (choices: number): number => numbers.next().value! % choices
        assertDecodes(encodeAnyhow(expected, choose), expected)
      }),
      { numRuns: 60 }
    )
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeCborMap(Buffer.from(bytes))
        // As a map, so that more than the first byte is looked at.
        decodeCborMap(Buffer.concat([Buffer.from([0xbf]), bytes]))
      }),
      { numRuns: 2_000 }
    )
  })

  it('never throws on requests of the clients with some bytes changed, and cuts keep their request id', () => {
    const frames = CLIENTS.flatMap(requestVectors).flatMap(({ frame }) => (frame?.hex === undefined ? [] : [frame.hex]))
    const payload = fc.constantFrom(...frames).map((hex) => Buffer.from(hex, 'hex').subarray(5))
    const change = fc.tuple(fc.nat(), fc.nat(255))
    fc.assert(
      fc.property(payload, fc.array(change, { maxLength: 4 }), fc.nat(), (original, changes, cut) => {
        const requestId = recoverRequestId(original)!
        const idEnd = 1 + 10 + requestId.length + (requestId.length > 23 ? 2 : 1)
        const length = idEnd + (cut % (original.length - idEnd + 1))
        assert.equal(recoverRequestId(original.subarray(0, length)), requestId)
        const changed = Buffer.from(original)
        for (const [position, byte] of changes) changed[position % changed.length] = byte
        decodeCborMap(changed)
      }),
      { numRuns: 1_000 }
    )
  })
})
