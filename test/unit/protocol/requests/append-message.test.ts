import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { parseAppendMessage } from '../../../../component/protocol/requests/append-message.ts'
import { createNameCache } from '../../../../component/protocol/requests/name-cache.ts'
import { encodeMap, hex } from '../../../helpers/protocol-payloads.ts'
import { decodeUsualAppend } from '../../../helpers/usual-append.ts'
import { CLIENTS, requestPayload } from '../../../helpers/vectors.ts'

const APPENDS = ['append-abc', 'append-all-bytes', 'append-1-bytes', 'append-24-bytes', 'append-256-bytes']

function refusal(payload: Buffer): string {
  const result = parseAppendMessage(payload)
  if (result.kind !== 'invalid') assert.fail(inspect(result))
  return result.failure.message
}

describe('an append', () => {
  it('of every official client is decoded by hand, with the result of the general way', () => {
    for (const client of CLIENTS) {
      for (const name of [...APPENDS, 'append-long-name']) {
        const payload = requestPayload(client, name)
        const byHand = decodeUsualAppend(payload)
        assert.ok(byHand !== undefined, `${client} ${name}`)
        assert.deepEqual(byHand, parseAppendMessage(payload))
      }
    }
  })

  it('gives the payload as a view', () => {
    const payload = requestPayload('python-1.1.1', 'append-abc')
    const result = parseAppendMessage(payload)
    if (result.kind !== 'parsed') assert.fail(inspect(result))
    assert.equal(result.request.payload.buffer, payload.buffer)
  })

  it('is understood in any order of keys and with unknown ones', () => {
    const request = { payload: Buffer.from('abc'), unknown: [1], name: 's', requestId: 'id' }
    assert.deepEqual(parseAppendMessage(encodeMap(request)), {
      kind: 'parsed',
      requestId: 'id',
      request: { streamName: 's', payload: Buffer.from('abc') }
    })
  })

  it('is understood with chunked strings and a payload length of eight bytes', () => {
    const request = { requestId: 'id', request: { streamName: 's', payload: Buffer.from('abc') } }
    const start = 'a3 69 726571756573744964 62 6964 64 6e616d65'
    const key = '67 7061796c6f6164'
    for (const rest of [
      `61 73 ${key} 5f 41 61 42 6263 ff`,
      `7f 61 73 ff ${key} 43 616263`,
      `61 73 ${key} 5b 0000000000000003 616263`
    ]) {
      assert.deepEqual(parseAppendMessage(hex(`${start} ${rest}`)), { kind: 'parsed', ...request })
    }
  })

  it('is refused without a usable payload', () => {
    const append = (payload: unknown): Buffer => encodeMap({ requestId: 'id', name: 's', payload })
    assert.equal(refusal(append(Buffer.alloc(0))), 'payload: must have at least 1 elements.')
    assert.equal(refusal(append(null)), 'payload is required.')
    assert.equal(refusal(append('text of the oldest Python SDK')), 'payload: must be a byte string.')
    assert.equal(refusal(encodeMap({ requestId: 'id', name: 's' })), 'payload is required.')
  })

  it('is refused with a name outside the pattern, however it got past the client', () => {
    const append = (name: unknown): Buffer => encodeMap({ requestId: 'id', name, payload: Buffer.from('a') })
    const pattern = 'name: must match regular expression "^[\\w ,.\\-_]*$".'
    for (const name of ['/', 'a\n', '\0', 'é', '名前', '١', 'ａ', 'a/b']) assert.equal(refusal(append(name)), pattern)
    assert.equal(refusal(append('n'.repeat(256))), 'name: must have at most 255 characters.')
    assert.equal(refusal(append('')), 'name: must have at least 1 characters.')
    assert.equal(refusal(append(Buffer.from('s'))), 'name: must be a text.')
  })

  it('cut anywhere, or with a byte too many, is refused as in the general way', () => {
    for (const client of ['python-1.1.1', 'java-1.1.0'] as const) {
      const payload = requestPayload(client, 'append-abc')
      for (let length = 0; length < payload.length; length++) {
        const cut = payload.subarray(0, length)
        assert.equal(decodeUsualAppend(cut), undefined)
        assert.notEqual(parseAppendMessage(cut).kind, 'parsed')
      }
      const longer = Buffer.concat([payload, Buffer.alloc(1)])
      assert.equal(decodeUsualAppend(longer), undefined)
      assert.match(refusal(longer), /bytes follow/)
    }
  })

  it('with any one byte changed means the same in both ways', () => {
    for (const client of ['python-1.1.1', 'java-1.1.0'] as const) {
      const payload = Buffer.from(requestPayload(client, 'append-abc'))
      for (let index = 0; index < payload.length; index++) {
        const original = payload[index]!
        for (let value = 0; value < 256; value++) {
          payload[index] = value
          const byHand = decodeUsualAppend(payload)
          if (byHand !== undefined) assert.deepEqual(byHand, parseAppendMessage(payload))
        }
        payload[index] = original
      }
    }
  })
})

describe('a name cache', () => {
  it('gives back names whether or not it has seen them, also when they share a place', () => {
    const nameOf = createNameCache(2, () => true)
    const names = ['a', 'b', 'c', 'aa', 'ab', 'a', 'B', 'b', 'x'.repeat(255), 'a']
    for (const name of [...names, ...names]) {
      const bytes = Buffer.from(`--${name}--`)
      assert.equal(nameOf(bytes, 2, 2 + name.length), name)
    }
  })

  it('asks about names that it does not keep, and keeps none that is no name', () => {
    const nameOf = createNameCache(2, (bytes, start, end) => !bytes.subarray(start, end).includes('!'))
    for (const text of ['a!', 'ab', 'a!', 'ab']) {
      assert.equal(nameOf(Buffer.from(text), 0, 2), text === 'ab' ? 'ab' : undefined)
    }
  })
})
