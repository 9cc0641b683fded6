import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { negotiateProtocolVersion, parseConnect, type ConnectRequest } from '../../../../component/protocol/index.ts'
import { encodeMap } from '../../../helpers/protocol-payloads.ts'
import { requestPayload } from '../../../helpers/vectors.ts'

function accepted(payload: Buffer): ConnectRequest {
  const result = parseConnect(payload)
  if (result.kind !== 'parsed') assert.fail(inspect(result))
  return result.request
}
const connect = (fields: Readonly<Record<string, unknown>>): ConnectRequest =>
  accepted(encodeMap({ requestId: 'id', protocolVersion: '1.1.0', ...fields }))

function refused(fields: Readonly<Record<string, unknown>>): string {
  const result = parseConnect(encodeMap({ requestId: 'id', protocolVersion: '1.1.0', ...fields }))
  if (result.kind !== 'invalid') assert.fail(inspect(result))
  return result.failure.message
}

describe('a Connect request', () => {
  it('of the official clients says who they are', () => {
    const current = { protocolVersion: '1.1.0', otherSupportedProtocolVersions: ['1.0.0'] }
    assert.deepEqual(accepted(requestPayload('java-1.1.0', 'connect-no-token')), { ...current, sdkVersion: '1.1.0' })
    assert.deepEqual(accepted(requestPayload('js-v2-1.1.0', 'connect-no-token')), { ...current, sdkVersion: '1.1.0' })
    assert.deepEqual(accepted(requestPayload('greengrasssdk-1.5.0', 'connect-no-token')), {
      protocolVersion: '1.0.0',
      otherSupportedProtocolVersions: [],
      sdkVersion: '1.0.0'
    })
    const withToken = accepted(requestPayload('python-1.1.1', 'connect-with-token'))
    assert.ok(withToken.authToken !== undefined && withToken.authToken !== '')
  })

  it('has no token when it is absent, empty, too long or no text', () => {
    for (const authToken of [undefined, null, '', 5, Buffer.from('token'), 't'.repeat(4097)]) {
      assert.ok(!('authToken' in connect({ authToken })))
    }
    assert.equal(connect({ authToken: 't'.repeat(4096) }).authToken, 't'.repeat(4096))
  })

  it('leaves a version that is absent or no text to the negotiation', () => {
    for (const protocolVersion of [undefined, null, 1.1, Buffer.from('1.1.0')]) {
      assert.equal(connect({ protocolVersion }).protocolVersion, undefined)
    }
  })

  it('is refused with other fields of a wrong type, or with too many versions', () => {
    assert.equal(refused({ sdkVersion: 1 }), 'sdkVersion: must be a text.')
    const path = 'otherSupportedProtocolVersions'
    assert.equal(refused({ [path]: '1.0.0' }), `${path}: must be a list of texts.`)
    assert.equal(refused({ [path]: ['1.0.0', null] }), `${path}: must be a list of texts.`)
    assert.equal(connect({ [path]: new Array<string>(32).fill('9.9.9') }).otherSupportedProtocolVersions.length, 32)
    assert.equal(refused({ [path]: new Array<string>(33).fill('9.9.9') }), `${path}: must have at most 32 elements.`)
  })
})

describe('the negotiation of the protocol version', () => {
  const negotiate = (protocolVersion: string | undefined, ...otherSupportedProtocolVersions: string[]) => {
    const result = negotiateProtocolVersion({ protocolVersion, otherSupportedProtocolVersions })
    return result.ok ? result.value : result.failure.kind
  }

  it("takes the client's own version when it is known, else its first other one that is", () => {
    assert.equal(negotiate('1.1.0', '1.0.0'), '1.1.0')
    assert.equal(negotiate('1.0.0', '1.1.0'), '1.0.0')
    assert.equal(negotiate('2.0.0', '1.9.0', '1.0.0', '1.1.0'), '1.0.0')
  })

  it('tells a missing version from one that is not supported', () => {
    assert.equal(negotiate(undefined, '1.1.0'), 'invalidProtocolVersion')
    for (const version of ['', 'latest', '1.1', 'v1.1.0', '1.1.0 ', '1.1.0\n']) {
      assert.equal(negotiate(version, '1.1.0'), 'invalidProtocolVersion')
    }
    assert.equal(negotiate('2.0.0', 'latest'), 'unsupportedProtocolVersion')
  })
})
