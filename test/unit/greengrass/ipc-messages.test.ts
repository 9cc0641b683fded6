import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { createEventStreamDecoder, type EventStreamFrame } from '../../../component/greengrass/event-stream.ts'
import {
  decodeMessage,
  encodeConnect,
  encodePingResponse,
  encodeRequest,
  encodeStreamEnd,
  parseResponse
} from '../../../component/greengrass/ipc-messages.ts'
import { nucleusFrame, takeFrames, type FrameHeaders } from '../../helpers/event-stream-frames.ts'

function sent(bytes: Buffer): { headers: FrameHeaders; payload: string } {
  const { frames, rest } = takeFrames(bytes, 10_000)
  assert.equal(rest.length, 0)
  assert.equal(frames.length, 1)
  return { headers: frames[0]!.headers, payload: frames[0]!.payload.toString() }
}

function received(headers: FrameHeaders, payload = ''): EventStreamFrame {
  const frames: EventStreamFrame[] = []
  createEventStreamDecoder(10_000, (frame) => void frames.push(frame)).push(nucleusFrame(headers, payload))
  return frames[0]!
}

const common = (type: number, flags = 0, streamId = 0): FrameHeaders => ({
  ':message-type': type,
  ':message-flags': flags,
  ':stream-id': streamId
})

describe('messages to the nucleus are as greengrass 5.1 has them', () => {
  it('connect, by token and by name', () => {
    const headers = { ...common(4), ':version': '0.1.0' }
    assert.deepEqual(sent(encodeConnect({ authToken: 'T"1' })), { headers, payload: '{"authToken":"T\\"1"}' })
    assert.deepEqual(sent(encodeConnect({ componentName: 'a.b' })), { headers, payload: '{"componentName":"a.b"}' })
  })

  it('request', () => {
    const request = { operation: 'UpdateState', payload: { state: 'RUNNING' } } as const
    const headers = {
      ...common(0, 0, 7),
      operation: 'aws.greengrass#UpdateState',
      'service-model-type': 'aws.greengrass#UpdateStateRequest',
      ':content-type': 'application/json'
    }
    assert.deepEqual(sent(encodeRequest(7, request)), { headers, payload: '{"state":"RUNNING"}' })
  })

  it('end of a stream, and the answer to a ping', () => {
    assert.deepEqual(sent(encodeStreamEnd(9)), { headers: common(0, 2, 9), payload: '' })
    assert.deepEqual(sent(encodePingResponse(Buffer.from('p'))), { headers: common(3), payload: 'p' })
  })
})

describe('messages of the nucleus', () => {
  it('acknowledge a connection or do not', () => {
    assert.deepEqual(decodeMessage(received({ ...common(5, 1), svcuid: 'x' })), {
      kind: 'connectAck',
      isAccepted: true,
      token: 'x'
    })
    const refused = { kind: 'connectAck', isAccepted: false, token: undefined }
    assert.deepEqual(decodeMessage(received(common(5, 0))), refused)
  })

  it('answer, and say whether that was all', () => {
    const payload = Buffer.from('{}')
    const message = (flags: number) => decodeMessage(received(common(0, flags, 3), '{}'))
    assert.deepEqual(message(0), { kind: 'response', streamId: 3, isLast: false, payload })
    assert.deepEqual(message(2), { kind: 'response', streamId: 3, isLast: true, payload })
  })

  it('tell an error by its code, else by its type', () => {
    const error = (payload: string, type?: string) =>
      decodeMessage(
        received({ ...common(1, 2, 4), ...(type !== undefined && { 'service-model-type': type }) }, payload)
      )
    const of = (code: string) => ({ kind: 'error', streamId: 4, code })
    assert.deepEqual(error('{"_message":"m","_errorCode":"InvalidTokenError"}'), of('InvalidTokenError'))
    assert.deepEqual(error('{"_message":"m"}', 'aws.greengrass#ServiceError'), of('ServiceError'))
    assert.deepEqual(error('', 'aws.greengrass#ServiceError'), of('ServiceError'))
    assert.deepEqual(error('{"_errorCode":7}', 'other#Thing'), of('UnknownError'))
    assert.deepEqual(error(`{"_errorCode":"${'x'.repeat(1000)}"}`), of('x'.repeat(64)))
  })

  it('ping, and break off', () => {
    assert.deepEqual(decodeMessage(received(common(2), 'p')), { kind: 'ping', payload: Buffer.from('p') })
    assert.deepEqual(decodeMessage(received(common(3))), { kind: 'pingResponse' })
    for (const type of [6, 7]) assert.deepEqual(decodeMessage(received(common(type))), { kind: 'connectionError' })
  })

  it('are faults when they make no sense', () => {
    assert.throws(() => decodeMessage(received(common(8))), Fault)
    assert.throws(() => decodeMessage(received({ ':message-type': 0, ':message-flags': 0 })), Fault)
    assert.throws(() => decodeMessage(received({ ...common(0), ':message-flags': '0' })), Fault)
    assert.throws(() => decodeMessage(received(common(1, 2, 1), 'not JSON')), Fault)
  })

  it('carry JSON objects', () => {
    assert.deepEqual(parseResponse(Buffer.from('{"isValid":true}')), { isValid: true })
    assert.deepEqual(parseResponse(Buffer.from('{"isValid":false}')), { isValid: false })
    for (const other of ['', '{}', '{"isValid":"true"}', '{"isValid":1}'])
      assert.deepEqual(parseResponse(Buffer.from(other)), {}, other)
    for (const other of ['[', 'null', '1', '"x"']) assert.throws(() => parseResponse(Buffer.from(other)), Fault, other)
  })
})
