import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseListStreams, recoverRequestId } from '../../../../component/protocol/index.ts'
import { encodeMap, hex } from '../../../helpers/protocol-payloads.ts'

const list = (requestId: unknown) => parseListStreams(encodeMap({ requestId }))

describe('a request id', () => {
  it('may be one space, as the JavaScript SDK always sends it', () => {
    assert.deepEqual(list(' '), { kind: 'parsed', requestId: ' ', request: {} })
  })

  it('that is absent or no text leaves nothing to answer', () => {
    assert.deepEqual(parseListStreams(encodeMap({})), { kind: 'unanswerable' })
    for (const requestId of [null, undefined, 1, true, Buffer.from('id'), ['id'], { id: 1 }]) {
      assert.deepEqual(list(requestId), { kind: 'unanswerable' })
    }
  })

  it('longer than 1024 characters is not answered', () => {
    assert.equal(list('x'.repeat(1024)).kind, 'parsed')
    assert.deepEqual(list('x'.repeat(1025)), { kind: 'unanswerable' })
    const cut = encodeMap({ requestId: 'x'.repeat(1025), a: 1 }).subarray(0, -1)
    assert.deepEqual(parseListStreams(cut), { kind: 'unanswerable' })
    assert.equal(recoverRequestId(cut), undefined)
  })

  it('that breaks its rules is echoed in the refusal', () => {
    const invalid = (requestId: string, message: string) => ({
      kind: 'invalid',
      requestId,
      failure: { kind: 'invalidRequest', message }
    })
    assert.deepEqual(list(''), invalid('', 'requestId: must have at least 1 characters.'))
    for (const requestId of ['a/b', 'é', 'a\n', '\0']) {
      assert.deepEqual(
        list(requestId),
        invalid(requestId, 'requestId: must match regular expression "^[\\w ,.\\-_]*$".')
      )
    }
  })
})

describe('a payload that is no request', () => {
  it('is unanswerable without a request id', () => {
    for (const bytes of ['', '80', 'ff', 'a1', 'bf', '01', 'd9d9f7 a0']) {
      assert.deepEqual(parseListStreams(hex(bytes)), { kind: 'unanswerable' })
    }
  })

  it('is refused with a reason when the request id was read', () => {
    const result = parseListStreams(Buffer.concat([encodeMap({ requestId: 'id' }), Buffer.alloc(1)]))
    assert.deepEqual(result, {
      kind: 'invalid',
      requestId: 'id',
      failure: { kind: 'invalidRequest', message: 'the request cannot be decoded: bytes follow the map (at byte 14)' }
    })
  })
})

describe('the recovery of a request id', () => {
  it('works for whole maps of unknown operations, wherever the id stands in them', () => {
    assert.equal(recoverRequestId(encodeMap({ requestId: 'id' })), 'id')
    assert.equal(recoverRequestId(encodeMap({ other: [1, { requestId: 'no' }], requestId: 'id' })), 'id')
  })

  it('works for the start of a request that was too large to be kept', () => {
    const append = encodeMap({ requestId: 'id', name: 's', payload: Buffer.alloc(100_000) })
    assert.equal(recoverRequestId(append.subarray(0, 65_536)), 'id')
  })

  it('does not invent one', () => {
    assert.equal(recoverRequestId(Buffer.alloc(0)), undefined)
    assert.equal(recoverRequestId(encodeMap({ name: 's' })), undefined)
    assert.equal(recoverRequestId(encodeMap({ requestId: 5 })), undefined)
  })
})
