import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { decodeCborMap, type CborValue } from '../../../../component/protocol/cbor-decoder.ts'
import {
  encodeDefinition,
  encodeFrame,
  FrameDecoder,
  OPERATION,
  parseAppendMessage,
  parseConnect,
  parseCreateMessageStream,
  parseDeleteMessageStream,
  parseDescribeMessageStream,
  parseListStreams,
  parseReadMessages,
  parseUpdateMessageStream,
  recoverRequestId,
  type ParsedRequest
} from '../../../../component/protocol/index.ts'
import { buildPayload, callValue } from '../../../helpers/client-frames.ts'
import {
  CLIENTS,
  readVectors,
  requestVectors,
  type Client,
  type Json,
  type JsonObject,
  type RequestVector
} from '../../../helpers/vectors.ts'

/** The decoded form of a value in a vector's `payload`. */
function fromVector(json: Json): CborValue {
  if (Array.isArray(json)) return (json as readonly Json[]).map(fromVector)
  if (json === null || typeof json !== 'object') return json
  const object = json as JsonObject
  if (typeof object['$bytes'] === 'string') return Buffer.from(object['$bytes'], 'hex')
  if (typeof object['$int'] === 'string') return BigInt(object['$int'])
  if ('$float' in object) return Number(object['$float'])
  return new Map(Object.entries(object).map(([key, value]) => [key, fromVector(value)]))
}

/** The payload of a frame, as the frame decoder cuts it. */
function payloadOf(frame: Buffer): { readonly operation: number; readonly payload: Buffer } {
  const frames: { operation: number; payload: Buffer }[] = []
  const decoder = new FrameDecoder(
    {
      connectVersion: (version) => assert.equal(version, 1),
      frame: (operation, bytes, start, end) => frames.push({ operation, payload: bytes.subarray(start, end) }),
      refused: () => assert.fail('refused'),
      violation: () => assert.fail('violation')
    },
    { reserve: () => true, release: () => undefined },
    2 ** 30
  )
  decoder.push(Buffer.concat([Buffer.from([1]), frame]))
  assert.equal(frames.length, 1)
  return frames[0]!
}

/** The frame of a vector: as recorded, or built from its call and checked against the recorded hash. */
function frameOf(client: Client, vector: RequestVector): Buffer {
  const { hex, prefixHex, sha256, op } = vector.frame!
  if (hex !== undefined) return Buffer.from(hex, 'hex')
  // The request id is in the recorded start, however little follows it.
  const requestId = recoverRequestId(Buffer.from(prefixHex!, 'hex').subarray(5))
  assert.ok(requestId !== undefined)
  const frame = encodeFrame(op, buildPayload(client, requestId, vector.call!))
  assert.equal(createHash('sha256').update(frame).digest('hex'), sha256, 'the frame is built as the client did')
  return frame
}

const isCutShort = (vector: RequestVector): boolean => vector.frame?.note !== undefined
const sent = (client: Client): readonly RequestVector[] =>
  requestVectors(client).filter((vector) => vector.frame !== undefined && !isCutShort(vector))

function parsed<Request>(result: ParsedRequest<Request>): Request {
  if (result.kind !== 'parsed') assert.fail(inspect(result))
  return result.request
}

function failureText<Request>(result: ParsedRequest<Request>): string {
  if (result.kind !== 'invalid') assert.fail(inspect(result))
  return result.failure.message
}

/** Definitions that clients send and this server refuses, and why. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'create-400-kinesis-exports': /^definition\.exportDefinition\.kinesis: must have at most 100 elements\.$/,
  'create-only-http-minimal': /http\[0\]\.uri: must be a valid URL\.$/
}
const refusalOf = (client: Client, { name }: RequestVector): RegExp | undefined => {
  if (client === 'java-1.1.0' && name === 'create-maxsize-4294967296')
    return /^definition\.maxSize: must be at least 1024\.$/
  return name.startsWith('create-http-uri-') ? /http\[0\]\.uri: must / : REFUSED[name]
}

/** Keys that the protocol 1.0.0 client does not know and so drops (protocol 5.8). */
const UNKNOWN_TO_1_0_0 = ['IotSitewise', 's3TaskExecutor', 'startSequenceNumber', 'disabled', 'exportFormat']

/** What of a call's value really goes out: without what the client drops, and with the fault of Java's 2^32. */
function asSent(client: Client, key: string, value: unknown): unknown {
  if (client === 'greengrasssdk-1.5.0' && UNKNOWN_TO_1_0_0.includes(key)) return undefined
  if (client === 'java-1.1.0' && value === 2 ** 32) return 0
  return value
}

/** Asserts that `actual` has everything that the call named, whatever defaults it has besides. */
function assertContains(client: Client, actual: CborValue, expected: unknown, path: string): void {
  if (Array.isArray(expected)) {
    assert.equal((actual as readonly CborValue[]).length, expected.length, path)
    expected.forEach((item, index) => {
      assertContains(client, (actual as readonly CborValue[])[index], item, `${path}[${index}]`)
    })
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, named] of Object.entries(expected)) {
      const value = asSent(client, key, named)
      if (value !== undefined)
        assertContains(client, (actual as ReadonlyMap<string, CborValue>).get(key), value, `${path}.${key}`)
    }
  } else if (typeof expected === 'number' || typeof expected === 'bigint') {
    assert.equal(BigInt(actual as number | bigint), BigInt(expected), path)
  } else {
    assert.equal(actual, expected, path)
  }
}

function assertDefinition(client: Client, vector: RequestVector, payload: Buffer): void {
  const parse = vector.frame!.op === OPERATION.createMessageStream ? parseCreateMessageStream : parseUpdateMessageStream
  const refusal = refusalOf(client, vector)
  const result = parse(payload)
  if (refusal !== undefined) {
    assert.match(failureText(result), refusal)
    return
  }
  const wire = decodeCborMap(encodeDefinition(parsed(result).definition))
  assert.ok(wire.ok)
  assertContains(client, wire.map, callValue(vector.call!['definition']!), 'definition')
}

function assertRead(payload: Buffer, call: JsonObject): void {
  const options = callValue(call['options'] ?? {}) as Readonly<Record<string, number | bigint>>
  const minCount = Number(options['minMessageCount'] ?? 1)
  assert.deepEqual(parsed(parseReadMessages(payload)), {
    streamName: call['stream'],
    from: Math.min(Number(options['desiredStartSequenceNumber'] ?? 0), Number.MAX_SAFE_INTEGER),
    minCount,
    maxCount: Number(options['maxMessageCount'] ?? minCount),
    timeoutMs: Number(options['readTimeoutMillis'] ?? 0)
  })
}

/** Asserts that the parser of the operation understands what the call said. */
function assertMeansCall(client: Client, vector: RequestVector, payload: Buffer): void {
  const call = vector.call ?? {}
  switch (vector.frame!.op) {
    case OPERATION.connect:
      parsed(parseConnect(payload))
      break
    case OPERATION.createMessageStream:
    case OPERATION.updateMessageStream:
      assertDefinition(client, vector, payload)
      break
    case OPERATION.deleteMessageStream:
      assert.deepEqual(parsed(parseDeleteMessageStream(payload)), { streamName: call['stream'] })
      break
    case OPERATION.describeMessageStream:
      assert.deepEqual(parsed(parseDescribeMessageStream(payload)), { streamName: call['stream'] })
      break
    case OPERATION.appendMessage:
      assert.deepEqual(parsed(parseAppendMessage(payload)), {
        streamName: call['stream'],
        payload: callValue(call['payload']!)
      })
      break
    case OPERATION.readMessages:
      assertRead(payload, call)
      break
    case OPERATION.listStreams:
      parsed(parseListStreams(payload))
      break
    default:
      assert.fail(`no client sends operation ${vector.frame!.op}`)
  }
}

for (const client of CLIENTS) {
  describe(`requests of ${client}`, () => {
    it('decode to the recorded values', () => {
      for (const vector of sent(client)) {
        const { operation, payload } = payloadOf(frameOf(client, vector))
        assert.equal(operation, vector.frame!.op, vector.name)
        const decoded = decodeCborMap(payload)
        assert.ok(decoded.ok, vector.name)
        if (vector.frame!.payload === undefined) continue
        const expected = fromVector(vector.frame!.payload) as ReadonlyMap<string, CborValue>
        for (const [key, value] of expected) assert.deepEqual(decoded.map.get(key), value, `${vector.name} ${key}`)
        if (vector.frame!.payloadTruncated !== true) assert.equal(decoded.map.size, expected.size, vector.name)
      }
    })

    it('mean what the application asked for', () => {
      for (const vector of sent(client)) assertMeansCall(client, vector, payloadOf(frameOf(client, vector)).payload)
    })
  })
}

describe('a request that the JavaScript SDK cut short after 16 KiB', () => {
  const { hex, recoverable } = readVectors('truncated-request.js-v2-1.1.0.json') as {
    hex: string
    recoverable: { requestId: string }
  }

  it('is answered with InvalidRequest under its request id', () => {
    const { operation, payload } = payloadOf(Buffer.from(hex, 'hex'))
    assert.equal(operation, OPERATION.createMessageStream)
    const result = parseCreateMessageStream(payload)
    assert.match(failureText(result), /cut short/)
    assert.equal((result as { requestId: string }).requestId, recoverable.requestId)
  })
})
