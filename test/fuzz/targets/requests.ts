import assert from 'node:assert/strict'
import { decodeDefinition, encodeDefinition, encodeDescribeResponse } from '../../../component/protocol/index.ts'
import { parseAppendMessage } from '../../../component/protocol/requests/append-message.ts'
import { parseConnect } from '../../../component/protocol/requests/connect.ts'
import { parseCreateMessageStream } from '../../../component/protocol/requests/definition.ts'
import { parseListStreams } from '../../../component/protocol/requests/list-streams.ts'
import { parseReadMessages } from '../../../component/protocol/requests/read-messages.ts'
import type { ParsedRequest } from '../../../component/protocol/requests/request.ts'
import { parseDeleteMessageStream } from '../../../component/protocol/requests/stream-name.ts'
import { decodeUsualAppend } from '../../helpers/usual-append.ts'
import { GOLDEN_PAYLOADS } from '../corpus.ts'
import { mutate, pick } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

/** The rules of the wire, written down a second time (protocol 5, reliability 7.2). */
const NAME = /^[\w ,.\-_]{1,255}$/
const REQUEST_ID = /^[\w ,.\-_]{1,1024}$/
const MESSAGE_CHARS_MAX = 100_000

function accepted<Request>(parsed: ParsedRequest<Request>): Request | undefined {
  if (parsed.kind === 'unanswerable') return undefined
  assert.ok(parsed.requestId.length <= 1_024, 'a request id that is echoed is short')
  if (parsed.kind === 'invalid') {
    assert.equal(parsed.failure.kind, 'invalidRequest')
    assert.ok(parsed.failure.message.length > 0 && parsed.failure.message.length < MESSAGE_CHARS_MAX)
    return undefined
  }
  assert.match(parsed.requestId, REQUEST_ID)
  return parsed.request
}

function checkAppend(input: Buffer): void {
  const parsed = parseAppendMessage(input)
  const byHand = decodeUsualAppend(input)
  if (byHand !== undefined) assert.deepEqual(byHand, parsed, 'both ways of decoding agree')
  const request = accepted(parsed)
  if (request === undefined) return
  assert.match(request.streamName, NAME)
  assert.ok(request.payload.length > 0 && request.payload.length <= input.length)
}

function checkDefinition(input: Buffer): void {
  const request = accepted(parseCreateMessageStream(input))
  if (request === undefined) return
  const { definition } = request
  assert.match(definition.name, NAME)
  assert.ok(definition.exports.length <= 100)
  assert.equal(new Set(definition.exports.map(({ identifier }) => identifier)).size, definition.exports.length)
  for (const each of definition.exports) assert.match(each.identifier, NAME)
  const stored = decodeDefinition(encodeDefinition(definition))
  assert.ok(stored.ok, 'an accepted definition can be stored')
  assert.deepEqual(stored.value, definition)
  const description = {
    definition,
    storageStatus: { oldestSequenceNumber: 0, newestSequenceNumber: -1, totalBytes: 0 },
    exportStatuses: []
  }
  assert.ok(encodeDescribeResponse('r', description).length > 0)
}

function checkRead(input: Buffer): void {
  const request = accepted(parseReadMessages(input))
  if (request === undefined) return
  assert.match(request.streamName, NAME)
  assert.ok(request.minCount >= 1 && request.minCount <= request.maxCount)
  assert.ok(Number.isSafeInteger(request.from) && request.from >= 0)
}

/** The parsers of all requests, each on requests of all operations. */
export const requests: FuzzTarget = {
  name: 'requests',
  inputCount: 20_000,
  generate: (random) => mutate(random, pick(random, GOLDEN_PAYLOADS), { others: GOLDEN_PAYLOADS }),
  run(input) {
    checkAppend(input)
    checkDefinition(input)
    checkRead(input)
    accepted(parseConnect(input))
    accepted(parseListStreams(input))
    const named = accepted(parseDeleteMessageStream(input))
    if (named !== undefined) assert.match(named.streamName, NAME)
  }
}
