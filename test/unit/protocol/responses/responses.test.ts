import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FailureKind } from '../../../../component/model/failure.ts'
import type { StreamDefinition } from '../../../../component/model/stream-definition.ts'
import type { StreamInfo } from '../../../../component/model/stream-info.ts'
import { decodeCborMap, type CborMap, type CborValue } from '../../../../component/protocol/cbor-decoder.ts'
import {
  encodeAppendResponse,
  encodeConnectResponse,
  encodeDescribeResponse,
  encodeFailure,
  encodeListResponse,
  encodeSuccess,
  OPERATION,
  readResponseBytes
} from '../../../../component/protocol/index.ts'
import { encodeReadResponse } from '../../../helpers/read-response.ts'
import { readWithSdk } from '../../../helpers/sdk-decoder.ts'
import { readVectors } from '../../../helpers/vectors.ts'

interface SchemaField {
  readonly key: string
  readonly type: string
}
const schema = readVectors('schema.json') as {
  classes: Readonly<Record<string, readonly SchemaField[]>>
  enums: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** Checks the frame of an answer and returns its map. */
function read(frame: Buffer, operation: number, className: string): CborMap {
  assert.equal(frame.readInt32BE(0), frame.length - 4)
  assert.equal(frame.readInt8(4), operation)
  const decoded = decodeCborMap(frame.subarray(5))
  if (!decoded.ok) assert.fail(decoded.reason)
  assertIsOf(className, decoded.map, className)
  return decoded.map
}

/** Asserts that a value has the type of the schema: known keys only, and never null, undefined or a float (protocol 2.2). */
function assertIsOf(type: string, value: CborValue, path: string): void {
  const element = /^array<(.*)>$/.exec(type)?.[1]
  const fields = schema.classes[type]
  const numbers = schema.enums[type]
  if (element !== undefined) {
    assert.ok(Array.isArray(value), path)
    for (const item of value as readonly CborValue[]) assertIsOf(element, item, path)
  } else if (fields !== undefined) {
    for (const [key, item] of value as CborMap) {
      const field = fields.find((candidate) => candidate.key === key)
      assert.ok(field !== undefined, `${path}.${key} is in the schema`)
      assertIsOf(field.type, item, `${path}.${key}`)
    }
  } else if (numbers !== undefined) {
    assert.ok(Object.values(numbers).includes(value as number), path)
  } else {
    const types: Readonly<Record<string, boolean>> = {
      text: typeof value === 'string',
      bool: typeof value === 'boolean',
      bytes: Buffer.isBuffer(value),
      int: typeof value === 'bigint' || Number.isSafeInteger(value)
    }
    assert.ok(types[type], `${path} is ${type}`)
  }
}

/** Plain data for comparisons. */
function plain(value: CborValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...(value as CborMap)].map(([key, item]) => [key, plain(item)]))
  return Array.isArray(value) ? (value as readonly CborValue[]).map(plain) : value
}

const DEFINITION: StreamDefinition = {
  name: 'Stream',
  maxSizeBytes: 2n ** 53n - 1n,
  segmentSizeBytes: 2 ** 31 - 1,
  timeToLiveMs: 9_223_372_036_854,
  strategyOnFull: 'overwriteOldestData',
  persistence: 'memory',
  flushOnWrite: true,
  exports: [
    { kind: 'http', identifier: 'h', uri: 'http://127.0.0.1/', exportFormat: 'jsonBatched', disabled: true },
    { kind: 'iotAnalytics', identifier: 'a', iotChannel: 'c', iotMsgIdPrefix: 'p', batchSize: 100 },
    {
      kind: 'kinesis',
      identifier: 'k',
      kinesisStreamName: 'é🚀',
      batchIntervalMs: 2 ** 40,
      startSequenceNumber: 2n ** 40n
    },
    { kind: 'sitewise', identifier: 'w', priority: 10 },
    {
      kind: 's3',
      identifier: 's',
      sizeThresholdForMultipartUploadBytes: 2n ** 33n,
      statusConfig: { statusLevel: 'trace', statusStreamName: 'Status' }
    }
  ]
}

const INFO: StreamInfo = {
  definition: DEFINITION,
  storageStatus: { oldestSequenceNumber: 0, newestSequenceNumber: -1, totalBytes: 2 ** 40 },
  exportStatuses: [
    {
      exportConfigIdentifier: 'h',
      lastExportedSequenceNumber: -1n,
      exportedBytesFromStream: 0,
      exportedMessagesCount: 0
    },
    {
      exportConfigIdentifier: 'k',
      lastExportedSequenceNumber: 2n ** 40n,
      lastExportTimeMs: 1_700_000_000_000,
      errorMessage: 'no route',
      exportedBytesFromStream: 2 ** 40,
      exportedMessagesCount: 2 ** 33
    }
  ]
}

describe('the answer to an append', () => {
  it('carries the sequence number in every length of integer', () => {
    for (const sequenceNumber of [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
      const frame = encodeAppendResponse('id', sequenceNumber)
      const answer = { requestId: 'id', status: 0, errorMessage: '', sequenceNumber }
      assert.deepEqual(plain(read(frame, OPERATION.appendMessageResponse, 'AppendMessageResponse')), answer)
      assert.deepEqual(readWithSdk('AppendMessageResponse', frame.subarray(5)), answer)
    }
  })

  it('echoes request ids of every length', () => {
    for (const requestId of [' ', 'x'.repeat(23), 'x'.repeat(24), 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(1024)]) {
      const answer = read(encodeAppendResponse(requestId, 7), OPERATION.appendMessageResponse, 'AppendMessageResponse')
      assert.equal(answer.get('requestId'), requestId)
      assert.equal(answer.get('sequenceNumber'), 7)
    }
  })
})

describe('the answer to a read', () => {
  const messages = [0, 23, 300, 70_000].map((payloadBytes, index) => ({
    sequenceNumber: index * 2 ** 31,
    ingestTimeMs: 1_700_000_000_000 + index,
    payload: Buffer.alloc(payloadBytes, index)
  }))
  const streamName = 'n'.repeat(255)
  const expected = messages.map(({ sequenceNumber, ingestTimeMs, payload }) => ({
    streamName,
    sequenceNumber,
    ingestTime: ingestTimeMs,
    payload
  }))

  it('carries the messages in order', () => {
    const frame = encodeReadResponse('id', streamName, messages)
    const answer = { requestId: 'id', status: 0, errorMessage: '', messages: expected }
    assert.deepEqual(plain(read(frame, OPERATION.readMessagesResponse, 'ReadMessagesResponse')), answer)
    assert.deepEqual(readWithSdk('ReadMessagesResponse', frame.subarray(5)), answer)
  })

  it('has the computed size', () => {
    for (const count of [0, 1, 23, 24, 300]) {
      const some = Array.from({ length: count }, (_, index) => messages[index % messages.length]!)
      assert.equal(encodeReadResponse('id', 's', some).length, readResponseBytes('id', 's', some))
    }
  })

  it('has numbers of every width, whatever the width of those before', () => {
    const widths = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
    const payload = Buffer.from('p')
    const some = widths.flatMap((sequenceNumber) =>
      widths.map((width, index) => ({ sequenceNumber, ingestTimeMs: index % 3 === 1 ? -width : width, payload }))
    )
    const frame = encodeReadResponse('id', 's', some)
    const answer = plain(read(frame, OPERATION.readMessagesResponse, 'ReadMessagesResponse')) as { messages: unknown }
    assert.deepEqual(
      answer.messages,
      some.map(({ sequenceNumber, ingestTimeMs }) => ({
        streamName: 's',
        sequenceNumber,
        ingestTime: ingestTimeMs,
        payload
      }))
    )
  })

  it('takes ingest times from before 1970, when the clock is wrong', () => {
    const [message] = messages
    const frame = encodeReadResponse('id', 's', [{ ...message!, ingestTimeMs: -5 }])
    const answer = plain(read(frame, OPERATION.readMessagesResponse, 'ReadMessagesResponse')) as {
      messages: readonly { ingestTime: number }[]
    }
    assert.equal(answer.messages[0]?.ingestTime, -5)
  })
})

describe('the answer to list', () => {
  it('has a list even when there are no streams', () => {
    for (const streams of [[], ['a', 'B c']]) {
      const frame = encodeListResponse('id', streams)
      const answer = { requestId: 'id', status: 0, errorMessage: '', streams }
      assert.deepEqual(plain(read(frame, OPERATION.listStreamsResponse, 'ListStreamsResponse')), answer)
      assert.deepEqual(readWithSdk('ListStreamsResponse', frame.subarray(5)), answer)
    }
  })
})

describe('the answer to the same list', () => {
  it('is made of what was encoded before, each with its own id, and no longer than any', () => {
    for (const count of [0, 23, 24, 300]) {
      const streams = Array.from({ length: count }, (_, index) => `${'n'.repeat(index % 256)}${index}`.slice(0, 255))
      for (const requestId of ['a', 'b'.repeat(40)]) {
        const answer = { requestId, status: 0, errorMessage: '', streams }
        const frame = encodeListResponse(requestId, streams)
        assert.deepEqual(plain(read(frame, OPERATION.listStreamsResponse, 'ListStreamsResponse')), answer)
        assert.deepEqual(readWithSdk('ListStreamsResponse', frame.subarray(5)), answer)
        assert.equal(frame.length, encodeSuccess(OPERATION.listStreams, requestId, { streams }).length)
      }
    }
  })
})

describe('the answer to describe', () => {
  const describeAnswer = (info: StreamInfo) => {
    const frame = encodeDescribeResponse('id', info)
    const map = read(frame, OPERATION.describeMessageStreamResponse, 'DescribeMessageStreamResponse')
    return { frame, info: plain(map.get('messageStreamInfo')) as { readonly definition: object } }
  }

  it('says all there is, without floats and nulls, in words the JavaScript SDK takes back', () => {
    const { frame, info } = describeAnswer(INFO)
    assert.deepEqual(info, {
      definition: {
        name: 'Stream',
        maxSize: 2 ** 53 - 1,
        streamSegmentSize: 2 ** 31 - 1,
        timeToLiveMillis: 9_223_372_036_854,
        strategyOnFull: 1,
        persistence: 1,
        flushOnWrite: true,
        exportDefinition: {
          http: [{ identifier: 'h', uri: 'http://127.0.0.1/', disabled: true, exportFormat: 1 }],
          iotAnalytics: [{ identifier: 'a', iotChannel: 'c', iotMsgIdPrefix: 'p', batchSize: 100 }],
          kinesis: [
            { identifier: 'k', kinesisStreamName: 'é🚀', batchIntervalMillis: 2 ** 40, startSequenceNumber: 2 ** 40 }
          ],
          IotSitewise: [{ identifier: 'w', priority: 10 }],
          s3TaskExecutor: [
            {
              identifier: 's',
              sizeThresholdForMultipartUploadBytes: 2 ** 33,
              statusConfig: { statusLevel: 4, statusStreamName: 'Status' }
            }
          ]
        }
      },
      storageStatus: { oldestSequenceNumber: 0, newestSequenceNumber: -1, totalBytes: 2 ** 40 },
      exportStatuses: [
        {
          exportConfigIdentifier: 'h',
          lastExportedSequenceNumber: -1,
          exportedBytesFromStream: 0,
          exportedMessagesCount: 0
        },
        {
          exportConfigIdentifier: 'k',
          lastExportedSequenceNumber: 2 ** 40,
          lastExportTime: 1_700_000_000_000,
          errorMessage: 'no route',
          exportedBytesFromStream: 2 ** 40,
          exportedMessagesCount: 2 ** 33
        }
      ]
    })
    assert.deepEqual(readWithSdk('DescribeMessageStreamResponse', frame.subarray(5)), {
      requestId: 'id',
      status: 0,
      errorMessage: '',
      messageStreamInfo: info
    })
  })

  it('has all export lists when there are no exports', () => {
    const { info } = describeAnswer({ ...INFO, definition: { ...DEFINITION, exports: [] } })
    const exportDefinition = { http: [], iotAnalytics: [], kinesis: [], IotSitewise: [], s3TaskExecutor: [] }
    assert.deepEqual((info.definition as { exportDefinition: object }).exportDefinition, exportDefinition)
  })

  it('sends a maxSize beyond 2^53 - 1 as a plain 64-bit integer', () => {
    const { info } = describeAnswer({ ...INFO, definition: { ...DEFINITION, maxSizeBytes: 2n ** 63n - 1n } })
    assert.equal((info.definition as { maxSize: bigint }).maxSize, 2n ** 63n - 1n)
  })
})

describe('the answers without data', () => {
  const answers = {
    CreateMessageStreamResponse: [OPERATION.createMessageStream, OPERATION.createMessageStreamResponse],
    UpdateMessageStreamResponse: [OPERATION.updateMessageStream, OPERATION.updateMessageStreamResponse],
    DeleteMessageStreamResponse: [OPERATION.deleteMessageStream, OPERATION.deleteMessageStreamResponse]
  } as const

  for (const [className, [request, response]] of Object.entries(answers)) {
    it(`${className}: status 0 and an empty errorMessage`, () => {
      const frame = encodeSuccess(request, ' ')
      const answer = { requestId: ' ', status: 0, errorMessage: '' }
      assert.deepEqual(plain(read(frame, response, className)), answer)
      assert.deepEqual(readWithSdk(className, frame.subarray(5)), answer)
    })
  }
})

describe('the answer to Connect', () => {
  it('accepts with the chosen version and says what else there is', () => {
    const frame = encodeConnectResponse({ requestId: 'id', protocolVersion: '1.0.0', serverVersion: '2.4.0' })
    const answer = {
      requestId: 'id',
      status: 0,
      errorMessage: '',
      protocolVersion: '1.0.0',
      supportedProtocolVersions: ['1.1.0', '1.0.0'],
      serverVersion: '2.4.0'
    }
    assert.deepEqual(plain(read(frame, OPERATION.connectResponse, 'ConnectResponse')), answer)
    assert.deepEqual(readWithSdk('ConnectResponse', frame.subarray(5)), answer)
  })

  it('refuses with a status, also without a request id', () => {
    const failure = { kind: 'unsupportedConnectVersion', message: 'connect version 2' } as const
    const map = read(
      encodeConnectResponse({ requestId: '', failure, serverVersion: '2.4.0' }),
      OPERATION.connectResponse,
      'ConnectResponse'
    )
    assert.equal(map.get('status'), 8)
    assert.equal(map.get('errorMessage'), 'connect version 2')
    assert.deepEqual(map.get('supportedProtocolVersions'), ['1.1.0', '1.0.0'])
    assert.ok(!map.has('protocolVersion'))
  })
})

describe('the answer to a request that failed', () => {
  const statusIn = (kind: FailureKind, version: '1.0.0' | '1.1.0'): number => {
    const frame = encodeFailure(OPERATION.appendMessage, 'id', { kind, message: 'why' }, version)
    const map = read(frame, OPERATION.appendMessageResponse, 'AppendMessageResponse')
    assert.equal(map.get('requestId'), 'id')
    assert.equal(map.get('errorMessage'), 'why')
    assert.ok(!map.has('sequenceNumber'))
    return map.get('status') as number
  }

  it('has the operation that the client waits for', () => {
    const pairs = [
      [OPERATION.connect, 6, 'ConnectResponse'],
      [OPERATION.createMessageStream, 7, 'CreateMessageStreamResponse'],
      [OPERATION.deleteMessageStream, 8, 'DeleteMessageStreamResponse'],
      [OPERATION.appendMessage, 9, 'AppendMessageResponse'],
      [OPERATION.readMessages, 10, 'ReadMessagesResponse'],
      [OPERATION.listStreams, 12, 'ListStreamsResponse'],
      [OPERATION.describeMessageStream, 14, 'DescribeMessageStreamResponse'],
      [OPERATION.updateMessageStream, 16, 'UpdateMessageStreamResponse'],
      [0, 17, 'UnknownOperationError'],
      [9, 17, 'UnknownOperationError'],
      [-1, 17, 'UnknownOperationError'],
      [99, 17, 'UnknownOperationError']
    ] as const
    for (const [request, response, className] of pairs) {
      const frame = encodeFailure(request, 'id', { kind: 'unknownOperation', message: '' }, '1.1.0')
      assert.equal(read(frame, response, className).get('status'), 18)
    }
  })

  it('has the status of the schema for every kind of failure', () => {
    const byName: Readonly<Partial<Record<FailureKind, string>>> = { outOfMemory: 'OutOfMemoryError' }
    const kinds = [
      'unknownFailure',
      'unauthorized',
      'invalidRequest',
      'requestPayloadTooLarge',
      'resourceNotFound',
      'serverTimeout',
      'responsePayloadTooLarge',
      'unsupportedConnectVersion',
      'unexpectedOperation',
      'unsupportedProtocolVersion',
      'invalidProtocolVersion',
      'failedToConnect',
      'notEnoughMessages',
      'messageStoreReadError',
      'outOfMemory',
      'updateFailed',
      'updateNotAllowed',
      'unknownOperation'
    ] as const satisfies FailureKind[]
    const statuses = schema.enums['ResponseStatusCode']!
    for (const kind of kinds) {
      const name = byName[kind] ?? `${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}`
      assert.equal(statusIn(kind, '1.1.0'), statuses[name], kind)
      assert.ok(statusIn(kind, '1.0.0') <= 14, `a protocol 1.0.0 client survives ${kind}`)
    }
  })

  it('tells a protocol 1.0.0 client what comes nearest', () => {
    assert.equal(statusIn('outOfMemory', '1.0.0'), 1)
    assert.equal(statusIn('updateFailed', '1.0.0'), 1)
    assert.equal(statusIn('updateNotAllowed', '1.0.0'), 3)
    assert.equal(statusIn('unknownOperation', '1.0.0'), 3)
    assert.equal(statusIn('notEnoughMessages', '1.0.0'), 13)
  })

  it('carries long and non-ASCII texts', () => {
    const message = `é🚀${'x'.repeat(70_000)}`
    const frame = encodeFailure(OPERATION.deleteMessageStream, 'é', { kind: 'invalidRequest', message }, '1.1.0')
    const map = read(frame, OPERATION.deleteMessageStreamResponse, 'DeleteMessageStreamResponse')
    assert.equal(map.get('errorMessage'), message)
    assert.equal(map.get('requestId'), 'é')
  })
})
