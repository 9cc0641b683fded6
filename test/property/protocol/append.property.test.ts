import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeCborMap } from '../../../component/protocol/cbor-decoder.ts'
import { encodeAppendResponse } from '../../../component/protocol/index.ts'
import { parseAppendMessage } from '../../../component/protocol/requests/append-message.ts'
import { encodeReadResponse } from '../../helpers/read-response.ts'
import { decodeUsualAppend } from '../../helpers/usual-append.ts'

const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: max, size: 'max' }).map((array) => Buffer.from(array))
const name = fc.stringMatching(/^[\w ,.\-_]{1,255}$/)

/** Text or bytes behind a head of any width that holds their length. */
const string = (major: number, content: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc.tuple(content, fc.constantFrom(0, 1, 2, 4, 8)).map(([content, width]) => {
    const least = content.length < 24 ? 0 : content.length < 256 ? 1 : 2
    const argumentBytes = Math.max(width, least)
    const head = Buffer.alloc(1 + argumentBytes)
    head[0] = (major << 5) | (argumentBytes === 0 ? content.length : 24 + Math.log2(argumentBytes))
    if (argumentBytes === 8) head.writeBigUInt64BE(BigInt(content.length), 1)
    else if (argumentBytes > 0) head.writeUIntBE(content.length, 1, argumentBytes)
    return Buffer.concat([head, content])
  })

const text = fc
  .oneof({ weight: 5, arbitrary: name }, fc.string({ unit: 'grapheme' }))
  .map((value) => Buffer.from(value))
const entry = (key: string, value: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  value.map((encoded) => Buffer.concat([Buffer.from([0x60 | key.length]), Buffer.from(key), encoded]))

/** Appends near the usual shape: mostly valid, sometimes not. */
const append = fc
  .tuple(
    entry('requestId', string(3, text)),
    entry('name', string(3, text)),
    entry('payload', string(2, bytes(600))),
    fc.constantFrom(true, false),
    fc.oneof({ weight: 9, arbitrary: fc.constant(Buffer.alloc(0)) }, bytes(3))
  )
  .map(([requestId, name, payload, isIndefinite, tail]) =>
    isIndefinite
      ? Buffer.concat([Buffer.from([0xbf]), requestId, name, payload, Buffer.from([0xff]), tail])
      : Buffer.concat([Buffer.from([0xa3]), requestId, name, payload, tail])
  )

describe('an append decoded by hand', () => {
  it('is what the general decoder makes of it', () => {
    let byHandCount = 0
    fc.assert(
      fc.property(append, (payload) => {
        const general = parseAppendMessage(payload)
        const byHand = decodeUsualAppend(payload)
        if (byHand === undefined) return
        byHandCount += 1
        assert.deepStrictEqual(byHand, general)
      }),
      { numRuns: 2_000 }
    )
    assert.ok(byHandCount > 100, 'the property looks at the hand-written decoder')
  })

  it('is what the general decoder makes of it when bytes are changed', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255))
    fc.assert(
      fc.property(append, fc.array(change, { minLength: 1, maxLength: 3 }), (payload, changes) => {
        const changed = Buffer.from(payload)
        for (const [position, byte] of changes) changed[position % changed.length] = byte
        const byHand = decodeUsualAppend(changed)
        if (byHand !== undefined) assert.deepStrictEqual(byHand, parseAppendMessage(changed))
      }),
      { numRuns: 2_000 }
    )
  })
})

describe('answers written by hand', () => {
  const requestId = fc.stringMatching(/^[\w ,.\-_]{1,300}$/)
  const sequenceNumber = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat())

  it('to appends decode to what was given', () => {
    fc.assert(
      fc.property(requestId, sequenceNumber, (requestId, sequenceNumber) => {
        const decoded = decodeCborMap(encodeAppendResponse(requestId, sequenceNumber).subarray(5))
        if (!decoded.ok) assert.fail(decoded.reason)
        assert.deepStrictEqual(Object.fromEntries(decoded.map), {
          requestId,
          status: 0,
          errorMessage: '',
          sequenceNumber
        })
      })
    )
  })

  it('to reads decode to what was given', () => {
    const message = fc.record({ sequenceNumber, ingestTimeMs: fc.maxSafeInteger(), payload: bytes(400) })
    fc.assert(
      fc.property(requestId, name, fc.array(message, { maxLength: 40 }), (requestId, streamName, messages) => {
        const decoded = decodeCborMap(encodeReadResponse(requestId, streamName, messages).subarray(5))
        if (!decoded.ok) assert.fail(decoded.reason)
        const expected = messages.map(
          ({ sequenceNumber, ingestTimeMs, payload }) =>
            new Map<string, unknown>([
              ['streamName', streamName],
              ['sequenceNumber', sequenceNumber],
              ['ingestTime', ingestTimeMs],
              ['payload', payload]
            ])
        )
        assert.deepStrictEqual(decoded.map.get('messages'), expected)
        assert.equal(decoded.map.get('requestId'), requestId)
      })
    )
  })
})
