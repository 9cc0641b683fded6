import assert from 'node:assert/strict'
import { Decoder } from 'cbor-x'
import { decodeCborMap, type CborValue } from '../../../component/protocol/cbor-decoder.ts'
import { recoverRequestId } from '../../../component/protocol/index.ts'
import { GOLDEN_PAYLOADS } from '../corpus.ts'
import { below, mutate, pick } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const library = new Decoder({ useRecords: false, mapsAsObjects: false })

/** What our decoder refuses although it is CBOR (reliability 6.2 P1), or what the library takes without being CBOR. */
const STRICTNESS = [
  'tags are not supported',
  'it is nested deeper',
  'it has more than',
  'a key is not text',
  'a map has the same key twice',
  'a text is not valid UTF-8',
  'bytes follow the map',
  'a simple value is unknown',
  'it is not a map',
  'a chunk has another type',
  'a break stands where an item is due'
]

/** The library reads no text or bytes in pieces, which Java clients send; it does not always say so in these words. */
function mayBeInPieces(input: Buffer): boolean {
  return input.includes(0x7f) || input.includes(0x5f)
}

/** Values of both decoders in one form. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].map(([key, item]) => [plain(key), plain(item)])
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  // The library gives some integers as bigint that we give as numbers, and the other way round.
  if (typeof value === 'bigint') return Number(value)
  return value
}

function libraryDecodes(input: Buffer): unknown {
  try {
    return library.decode(input)
  } catch {
    return undefined
  }
}

/** The CBOR decoder against a library. */
export const cbor: FuzzTarget = {
  name: 'cbor',
  inputCount: 40_000,
  generate(random) {
    if (random.fraction() < 0.1) return Buffer.concat([Buffer.from([0xbf]), random.bytes(below(random, 80))])
    return mutate(random, pick(random, GOLDEN_PAYLOADS), { others: GOLDEN_PAYLOADS })
  },
  run(input) {
    const before = Buffer.from(input)
    const result = decodeCborMap(input)
    assert.ok(input.equals(before), 'the input is not written to')
    const requestId = recoverRequestId(input)
    assert.ok(requestId === undefined || requestId.length <= 1_024)
    if (result.ok) {
      const expected: CborValue = result.map
      const theirs = libraryDecodes(input)
      if (theirs === undefined) assert.ok(mayBeInPieces(input), 'the library refuses what we take')
      else assert.deepEqual(plain(theirs), plain(expected))
    } else if (!STRICTNESS.some((reason) => result.reason.startsWith(reason))) {
      assert.equal(libraryDecodes(input), undefined, `we say: ${result.reason}`)
    }
  }
}
