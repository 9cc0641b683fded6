import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { decodeCborMap, type CborMap } from '../../../../component/protocol/cbor-decoder.ts'
import {
  parseAppendMessage,
  parseConnect,
  parseCreateMessageStream,
  parseDeleteMessageStream,
  parseListStreams,
  parseReadMessages,
  type ParsedRequest
} from '../../../../component/protocol/index.ts'
import { buildPayload } from '../../../helpers/client-frames.ts'
import { encodeMap } from '../../../helpers/protocol-payloads.ts'
import { CLIENTS, requestPayload } from '../../../helpers/vectors.ts'

/** What clients do that a server might trip over, one test for each (protocol 2.1, behaviour 3.9). */

function parsed<Request>(result: ParsedRequest<Request>): Request {
  if (result.kind !== 'parsed') assert.fail(inspect(result))
  return result.request
}

function refusal(result: ParsedRequest<unknown>): string {
  if (result.kind !== 'invalid') assert.fail(inspect(result))
  return result.failure.message
}

const maxSizeOf = (payload: Buffer): bigint => parsed(parseCreateMessageStream(payload)).definition.maxSizeBytes

describe('Java', () => {
  it('writes every map with an indefinite length', () => {
    const payload = requestPayload('java-1.1.0', 'read-all-options')
    assert.equal(payload[0], 0xbf)
    assert.equal(payload.at(-1), 0xff)
    assert.equal(parsed(parseReadMessages(payload)).maxCount, 100)
  })

  it('writes text beyond 3996 UTF-16 units in chunks', () => {
    const uri = `http://host/${'é'.repeat(4_000)}`
    const call = {
      op: 'create',
      definition: { name: 's', strategyOnFull: 0, exportDefinition: { http: [{ identifier: 'h', uri }] } }
    }
    const decoded = decodeCborMap(buildPayload('java-1.1.0', 'id', call))
    assert.ok(decoded.ok)
    const definition = decoded.map.get('definition') as CborMap
    const [http] = (definition.get('exportDefinition') as CborMap).get('http') as readonly CborMap[]
    assert.equal(http?.get('uri'), uri)
  })

  it('sends 4294967296 as 0 with its bundled Jackson, which is refused rather than guessed', () => {
    const payload = requestPayload('java-1.1.0', 'create-maxsize-4294967296')
    assert.equal(refusal(parseCreateMessageStream(payload)), 'definition.maxSize: must be at least 1024.')
    assert.equal(maxSizeOf(requestPayload('java-1.1.0', 'create-maxsize-4294967295')), 2n ** 32n - 1n)
  })

  it('writes 2^31 to 2^32 - 1 in eight bytes with an older Jackson', () => {
    const payload = requestPayload('java-slim-1.1.0', 'create-maxsize-2147483648')
    assert.ok(payload.includes(Buffer.from('1b0000000080000000', 'hex')))
    assert.equal(maxSizeOf(payload), 2n ** 31n)
  })

  it('writes text heads longer than needed with an older Jackson', () => {
    const payload = requestPayload('java-slim-1.1.0', 'create-http-uri-23-chars')
    assert.ok(payload.includes(Buffer.concat([Buffer.from([0x78, 23]), Buffer.alloc(23, 'u')])))
    assert.ok(decodeCborMap(payload).ok)
  })

  it('sends an empty text for no token', () => {
    const decoded = decodeCborMap(requestPayload('java-1.1.0', 'connect-no-token'))
    assert.ok(decoded.ok)
    assert.equal(decoded.map.get('authToken'), '')
    assert.ok(!('authToken' in parsed(parseConnect(requestPayload('java-1.1.0', 'connect-no-token')))))
  })
})

describe('JavaScript', () => {
  it('sends integers beyond 2^53 - 1 as floats of 32 or 64 bits', () => {
    assert.equal(maxSizeOf(requestPayload('js-v2-1.1.0', 'create-maxsize-9007199254740992')), 2n ** 53n)
    assert.equal(maxSizeOf(requestPayload('js-v2-1.1.0', 'create-maxsize-9007199254740994')), 2n ** 53n + 2n)
    assert.equal(maxSizeOf(requestPayload('js-v2-1.1.0', 'create-maxsize-4611686018427387904')), 2n ** 62n)
  })

  it('sends 2^63 - 1 as the float 2^63', () => {
    const payload = requestPayload('js-v2-1.1.0', 'create-maxsize-9223372036854775807')
    assert.ok(payload.includes(Buffer.from('fa5f000000', 'hex')))
    assert.equal(maxSizeOf(payload), 2n ** 63n - 1n)
  })

  it('lets fractions and NaN through', () => {
    const withMaxSize = (bytes: string): Buffer => {
      const payload = encodeMap({ requestId: ' ', definition: { name: 's', strategyOnFull: 0, maxSize: 0 } })
      return Buffer.concat([payload.subarray(0, -1), Buffer.from(bytes, 'hex')])
    }
    for (const bytes of ['fa45000800', 'f97e00']) {
      assert.equal(refusal(parseCreateMessageStream(withMaxSize(bytes))), 'definition.maxSize: must be an integer.')
    }
  })

  it('uses one space as the id of every request', () => {
    const payloads = [requestPayload('js-v2-1.1.0', 'list'), requestPayload('js-v2-1.1.0', 'list')]
    for (const payload of payloads) assert.equal((parseListStreams(payload) as { requestId: string }).requestId, ' ')
  })
})

describe('Python', () => {
  it('sends booleans for integers, which are refused', () => {
    const payload = encodeMap({ requestId: 'id', definition: { name: 's', strategyOnFull: 0, maxSize: true } })
    assert.equal(refusal(parseCreateMessageStream(payload)), 'definition.maxSize: must be an integer.')
  })

  it('sends names with letters of any script, which the original refuses', () => {
    for (const name of ['é', '名前', 'а', '١', 'ａ', 'ª']) {
      assert.match(refusal(parseDeleteMessageStream(encodeMap({ requestId: 'id', name }))), /^name: must match/)
    }
  })

  it('of the oldest SDK sends text as payload, which is refused', () => {
    const payload = encodeMap({ requestId: 'id', name: 's', payload: 'abc' })
    assert.equal(refusal(parseAppendMessage(payload)), 'payload: must be a byte string.')
  })
})

describe('every client', () => {
  it('leaves out what the caller does not set, and may leave out what has a default', () => {
    for (const client of CLIENTS.filter((client) => client !== 'greengrasssdk-1.5.0')) {
      const { definition } = parsed(parseCreateMessageStream(requestPayload(client, 'create-nulls')))
      assert.equal(definition.maxSizeBytes, 268_435_456n)
      assert.equal(definition.segmentSizeBytes, 16_777_216)
      assert.equal(definition.persistence, 'file')
    }
  })

  it('sends empty export definitions and lists', () => {
    for (const client of CLIENTS) {
      for (const name of ['create-export-definition-empty', 'create-export-lists-empty']) {
        assert.deepEqual(parsed(parseCreateMessageStream(requestPayload(client, name))).definition.exports, [])
      }
    }
  })
})
