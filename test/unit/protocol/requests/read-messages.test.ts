import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { parseReadMessages, type ReadMessagesRequest } from '../../../../component/protocol/index.ts'
import { encodeMap } from '../../../helpers/protocol-payloads.ts'

const parse = (readMessagesOptions: unknown) =>
  parseReadMessages(encodeMap({ requestId: 'id', streamName: 's', readMessagesOptions }))

function accepted(options: unknown): ReadMessagesRequest {
  const result = parse(options)
  if (result.kind !== 'parsed') assert.fail(inspect(result))
  return result.request
}

function refused(options: unknown): string {
  const result = parse(options)
  if (result.kind !== 'invalid') assert.fail(inspect(result))
  return result.failure.message
}

describe('a read', () => {
  it('without options asks for one message from the start, without waiting', () => {
    const defaults = { streamName: 's', from: 0, minCount: 1, maxCount: 1, timeoutMs: 0 }
    assert.deepEqual(accepted(null), defaults)
    assert.deepEqual(accepted({}), defaults)
    assert.deepEqual(accepted({ minMessageCount: null, readTimeoutMillis: null }), defaults)
  })

  it('with a minimum alone asks for that many, as the official samples expect', () => {
    assert.deepEqual(accepted({ minMessageCount: 3 }), {
      streamName: 's',
      from: 0,
      minCount: 3,
      maxCount: 3,
      timeoutMs: 0
    })
  })

  it('with a maximum alone is content with one', () => {
    const { minCount, maxCount } = accepted({ maxMessageCount: 5 })
    assert.deepEqual([minCount, maxCount], [1, 5])
  })

  it('starts at the largest exact number when asked to start beyond it', () => {
    assert.equal(accepted({ desiredStartSequenceNumber: 2 ** 53 - 1 }).from, Number.MAX_SAFE_INTEGER)
    assert.equal(accepted({ desiredStartSequenceNumber: 2n ** 63n - 1n }).from, Number.MAX_SAFE_INTEGER)
    assert.equal(accepted({ desiredStartSequenceNumber: 2 ** 63 }).from, Number.MAX_SAFE_INTEGER)
    assert.match(refused({ desiredStartSequenceNumber: 2n ** 63n }), /must be at most 9223372036854775807\.$/)
  })

  it('may wait longer than any client does', () => {
    assert.equal(accepted({ readTimeoutMillis: 9_223_372_036_854 }).timeoutMs, 9_223_372_036_854)
    assert.match(refused({ readTimeoutMillis: 2 ** 55 }), /must be at most 9223372036854\.$/)
  })

  it('reads integral floats and nothing else that is no integer', () => {
    assert.equal(accepted({ minMessageCount: 2.0 }).minCount, 2)
    for (const minMessageCount of [true, '1', 1.5, NaN, Buffer.from([1])]) {
      assert.equal(refused({ minMessageCount }), 'readMessagesOptions.minMessageCount: must be an integer.')
    }
  })

  it('names its stream in streamName, not in name', () => {
    const result = parseReadMessages(encodeMap({ requestId: 'id', name: 's' }))
    assert.deepEqual(result, {
      kind: 'invalid',
      requestId: 'id',
      failure: { kind: 'invalidRequest', message: 'streamName is required.' }
    })
  })

  it('has options that are a map', () => {
    assert.equal(refused([1]), 'readMessagesOptions: must be a map.')
  })
})
