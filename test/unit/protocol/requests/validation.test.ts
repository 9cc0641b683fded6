import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import {
  parseAppendMessage,
  parseCreateMessageStream,
  parseDeleteMessageStream,
  parseDescribeMessageStream,
  parseReadMessages,
  type ParsedRequest
} from '../../../../component/protocol/index.ts'
import { callValue } from '../../../helpers/client-frames.ts'
import { encodeMap } from '../../../helpers/protocol-payloads.ts'
import { readVectors, type Json, type JsonObject } from '../../../helpers/vectors.ts'

interface ValidationCase {
  readonly name: string
  readonly call: JsonObject
  readonly outcome: Readonly<Record<string, string>>
}
const { cases } = readVectors('validation.json') as { cases: readonly ValidationCase[] }

/** Cases in which the server knows less than a client, or must say more: undefined is accepted. */
const SERVER_ANSWERS: Readonly<Record<string, string | undefined>> = {
  'read-min-gt-max': 'minMessageCount 5 is larger than maxMessageCount 4',
  // The time-out of the client is its own affair.
  'read-timeout-over-client-timeout': undefined,
  'read-timeout-9223372036854': undefined,
  // What Java cannot say at all, others send (protocol 10.3).
  'maxsize-9223372036854775808': 'definition.maxSize: must be at most 9223372036854775807.',
  'maxsize-fraction': 'definition.maxSize: must be an integer.',
  'priority-fraction': 'definition.exportDefinition.kinesis[0].priority: must be an integer.',
  'append-text-payload': 'payload: must be a byte string.',
  // What no client checks (protocol 10.2, reliability 7.2).
  'duplicate-identifiers': 'export identifiers must be unique: x',
  'http-batchsize-500': 'definition.exportDefinition.http[0].uri: must be a valid URL.'
}

/** The Java client checks with the validator of the original server, so its texts are the server's (behaviour 5.2). */
function expectedProblem({ name, outcome }: ValidationCase): string | undefined {
  if (name in SERVER_ANSWERS) return SERVER_ANSWERS[name]
  const java = outcome['java-1.1.0']!
  if (java === 'sent') return undefined
  const text = /^rejected InvalidRequestException: ([^]*)$/.exec(java)?.[1]
  assert.ok(text !== undefined, `${name}: ${java}`)
  return text
}

type Fields = Readonly<Record<string, unknown>>

function field(call: JsonObject, key: string): unknown {
  const json = call[key] ?? null
  if (json === null) return undefined
  return (json as { readonly $text?: Json }).$text ?? callValue(json)
}

/** A request that carries the call as it is, past all checks of a client. */
function parseUnchecked(call: JsonObject): ParsedRequest<unknown> {
  const map = (fields: Fields): Buffer => encodeMap({ requestId: 'id', ...withoutUndefined(fields) })
  const stream = field(call, 'stream')
  const parsers: Readonly<Record<string, () => ParsedRequest<unknown>>> = {
    create: () => parseCreateMessageStream(map({ definition: field(call, 'definition') })),
    delete: () => parseDeleteMessageStream(map({ name: stream })),
    describe: () => parseDescribeMessageStream(map({ name: stream })),
    append: () => parseAppendMessage(map({ name: stream, payload: field(call, 'payload') })),
    read: () => parseReadMessages(map({ streamName: stream, readMessagesOptions: field(call, 'options') }))
  }
  return parsers[call['op'] as string]!()
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter((entry) => entry[1] !== undefined))
}

describe('the limits of every field', () => {
  for (const validation of cases) {
    const problem = expectedProblem(validation)
    it(`${validation.name}: ${problem === undefined ? 'accepted' : 'refused'}`, () => {
      const result = parseUnchecked(validation.call)
      if (problem === undefined) {
        assert.equal(result.kind, 'parsed', inspect(result))
        return
      }
      if (result.kind !== 'invalid') assert.fail(inspect(result))
      assert.deepEqual(result.failure, { kind: 'invalidRequest', message: problem })
      assert.equal(result.requestId, 'id')
    })
  }

  it('join problems as the original does: by a space in one object, without one between list elements', () => {
    const kinesis = [
      { identifier: 'a', batchSize: 501 },
      { kinesisStreamName: 's', priority: 11 }
    ]
    const result = parseCreateMessageStream(
      encodeMap({ requestId: '1', definition: { name: '', strategyOnFull: 0, exportDefinition: { kinesis } } })
    )
    if (result.kind !== 'invalid') assert.fail(inspect(result))
    const path = 'definition.exportDefinition.kinesis'
    assert.equal(
      result.failure.message,
      'definition.name: must have at least 1 characters. ' +
        `${path}[0].kinesisStreamName is required. ${path}[0].batchSize: must be at most 500.` +
        `${path}[1].identifier is required. ${path}[1].priority: must be at most 10.`
    )
  })
})
