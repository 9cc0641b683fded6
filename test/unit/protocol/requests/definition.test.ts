import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { parseCreateMessageStream, parseUpdateMessageStream } from '../../../../component/protocol/index.ts'
import type { StreamDefinition } from '../../../../component/model/stream-definition.ts'
import { encodeMap } from '../../../helpers/protocol-payloads.ts'

type Wire = Readonly<Record<string, unknown>>

const parse = (definition: Wire) =>
  parseCreateMessageStream(encodeMap({ requestId: 'id', definition: { name: 's', strategyOnFull: 0, ...definition } }))

function accepted(definition: Wire): StreamDefinition {
  const result = parse(definition)
  if (result.kind !== 'parsed') assert.fail(inspect(result))
  return result.request.definition
}

function refused(definition: Wire): string {
  const result = parse(definition)
  if (result.kind !== 'invalid') assert.fail(inspect(result))
  assert.equal(result.failure.kind, 'invalidRequest')
  return result.failure.message
}

const http = (uri: string): Wire => ({ exportDefinition: { http: [{ identifier: 'h', uri }] } })

describe('a stream definition', () => {
  it('gets the defaults of the server where fields are absent or null', () => {
    const defaults: StreamDefinition = {
      name: 's',
      maxSizeBytes: 268_435_456n,
      segmentSizeBytes: 16_777_216,
      strategyOnFull: 'rejectNewData',
      persistence: 'file',
      flushOnWrite: false,
      exports: []
    }
    assert.deepEqual(accepted({}), defaults)
    const nulls = { maxSize: null, streamSegmentSize: null, timeToLiveMillis: null, persistence: null }
    assert.deepEqual(accepted({ ...nulls, flushOnWrite: null, exportDefinition: null }), defaults)
    assert.deepEqual(accepted({ exportDefinition: { http: null, kinesis: [] } }), defaults)
  })

  it('requires strategyOnFull even where it is null', () => {
    assert.equal(refused({ strategyOnFull: null }), 'definition.strategyOnFull is required.')
  })

  it('ignores fields that the schema does not know, also __proto__', () => {
    const definition = accepted({ color: 'red', ['__proto__']: { flushOnWrite: true }, constructor: 1 })
    assert.equal(definition.flushOnWrite, false)
    assert.ok(!('color' in definition))
  })

  it('refuses values outside an enum and of another type', () => {
    assert.equal(refused({ strategyOnFull: 2 }), 'definition.strategyOnFull: must be one of 0, 1.')
    assert.equal(refused({ persistence: 'File' }), 'definition.persistence: must be one of 0, 1.')
    assert.equal(refused({ flushOnWrite: 0 }), 'definition.flushOnWrite: must be a boolean.')
    assert.equal(refused({ flushOnWrite: 'true' }), 'definition.flushOnWrite: must be a boolean.')
    assert.equal(refused({ maxSize: '2048' }), 'definition.maxSize: must be an integer.')
    assert.equal(refused({ name: Buffer.from('s') }), 'definition.name: must be a text.')
    assert.equal(refused({ exportDefinition: [] }), 'definition.exportDefinition: must be a map.')
    assert.equal(refused({ exportDefinition: { http: {} } }), 'definition.exportDefinition.http: must be a list.')
    assert.equal(refused({ exportDefinition: { http: [null] } }), 'definition.exportDefinition.http[0] is required.')
    assert.equal(refused({ exportDefinition: { http: [1] } }), 'definition.exportDefinition.http[0]: must be a map.')
  })

  it('reads integral floats as JavaScript sends them, and 2^63 as 2^63 - 1', () => {
    assert.equal(accepted({ maxSize: 2048.0 }).maxSizeBytes, 2048n)
    assert.equal(accepted({ maxSize: 2 ** 53 }).maxSizeBytes, 2n ** 53n)
    assert.equal(accepted({ maxSize: 2 ** 63 }).maxSizeBytes, 2n ** 63n - 1n)
    assert.equal(refused({ maxSize: 2 ** 64 }), 'definition.maxSize: must be at most 9223372036854775807.')
  })

  it('refuses numbers that are no integers', () => {
    for (const maxSize of [2048.5, NaN, Infinity, -Infinity, true]) {
      assert.equal(refused({ maxSize }), 'definition.maxSize: must be an integer.')
    }
  })

  it('reads minus zero as zero', () => {
    const exportDefinition = { IotSitewise: [{ identifier: 'i', startSequenceNumber: -0 }] }
    const [sitewise] = accepted({ exportDefinition }).exports
    assert.deepEqual(sitewise, { kind: 'sitewise', identifier: 'i', startSequenceNumber: 0n })
  })

  it('accepts names that mean something elsewhere', () => {
    for (const name of ['.', '..', ' ', '__proto__', 'constructor', 'a.log', 'CON', '.'.repeat(255), 'end.']) {
      assert.equal(accepted({ name }).name, name)
    }
  })

  it('lists its exports in the order of describe, whatever the order of the keys', () => {
    const exportDefinition = {
      s3TaskExecutor: [{ identifier: 's3' }],
      IotSitewise: [{ identifier: 'sw' }],
      kinesis: [{ identifier: 'k', kinesisStreamName: 'k' }],
      iotAnalytics: [{ identifier: 'ia', iotChannel: 'c' }],
      http: [{ identifier: 'h', uri: 'http://127.0.0.1:8080/in' }]
    }
    const kinds = accepted({ exportDefinition }).exports.map(({ kind }) => kind)
    assert.deepEqual(kinds, ['http', 'iotAnalytics', 'kinesis', 'sitewise', 's3'])
  })

  it('accepts iotSitewise as well; the odd spelling wins', () => {
    const identifiers = (exportDefinition: Wire): readonly string[] =>
      accepted({ exportDefinition }).exports.map(({ identifier }) => identifier)
    assert.deepEqual(identifiers({ iotSitewise: [{ identifier: 'small' }] }), ['small'])
    assert.deepEqual(
      identifiers({ iotSitewise: [{ identifier: 'small' }], IotSitewise: [{ identifier: 'capital' }] }),
      ['capital']
    )
  })

  it('is read by update as by create', () => {
    const payload = encodeMap({ requestId: 'id', definition: { name: 's', strategyOnFull: 1, persistence: 1 } })
    assert.deepEqual(parseUpdateMessageStream(payload), parseCreateMessageStream(payload))
  })

  it('must be a map, and must be there', () => {
    const message = (map: Wire): string => {
      const result = parseCreateMessageStream(encodeMap({ requestId: 'id', ...map }))
      return result.kind === 'invalid' ? result.failure.message : result.kind
    }
    assert.equal(message({}), 'definition is required.')
    assert.equal(message({ definition: 1 }), 'definition: must be a map.')
  })

  it('may have short batch intervals only where the rules say so', () => {
    const definition = {
      name: 's',
      strategyOnFull: 0,
      exportDefinition: { kinesis: [{ identifier: 'k', kinesisStreamName: 'k', batchIntervalMillis: 100 }] }
    }
    const payload = encodeMap({ requestId: 'id', definition })
    assert.equal(parseCreateMessageStream(payload).kind, 'invalid')
    assert.equal(parseCreateMessageStream(payload, { batchIntervalMinMs: 1 }).kind, 'parsed')
  })
})

describe('the exports of a definition', () => {
  it('need identifiers that are unique over all kinds', () => {
    const exportDefinition = {
      http: [{ identifier: 'x', uri: 'http://127.0.0.1/' }],
      s3TaskExecutor: [{ identifier: 'x' }, { identifier: 'x' }]
    }
    assert.equal(refused({ exportDefinition }), 'export identifiers must be unique: x')
  })

  it('are at most 100, in one list or in all together', () => {
    const tasks = (count: number): Wire[] => Array.from({ length: count }, (_, i) => ({ identifier: `t${i}` }))
    const streams = (count: number): Wire[] => Array.from({ length: count }, (_, i) => ({ identifier: `w${i}` }))
    assert.equal(
      accepted({ exportDefinition: { s3TaskExecutor: tasks(60), IotSitewise: streams(40) } }).exports.length,
      100
    )
    assert.equal(
      refused({ exportDefinition: { s3TaskExecutor: tasks(60), IotSitewise: streams(41) } }),
      'definition.exportDefinition: must have at most 100 elements.'
    )
    assert.equal(
      refused({ exportDefinition: { s3TaskExecutor: tasks(10_000) } }),
      'definition.exportDefinition.s3TaskExecutor: must have at most 100 elements.'
    )
  })

  it('may not report their status to their own stream', () => {
    const exportDefinition = { s3TaskExecutor: [{ identifier: 't', statusConfig: { statusStreamName: 's' } }] }
    assert.equal(
      refused({ exportDefinition }),
      'definition.exportDefinition.s3TaskExecutor[0].statusConfig.statusStreamName: must not be the stream itself.'
    )
  })

  it('may post to local and private addresses', () => {
    for (const uri of [
      'http://127.0.0.1:8080/in',
      'https://10.1.2.3',
      'http://[::1]/',
      'HTTPS://example.com/?x=1&y=2'
    ]) {
      assert.equal(accepted(http(uri)).exports.length, 1)
    }
    assert.equal(accepted(http(`http://h/${'u'.repeat(2039)}`)).exports.length, 1)
  })

  it('may not post to other schemes, with passwords, or to the addresses that hand out credentials', () => {
    const path = 'definition.exportDefinition.http[0].uri:'
    assert.equal(refused(http('ftp://example.com/')), `${path} must use http or https.`)
    assert.equal(refused(http('file:///etc/passwd')), `${path} must use http or https.`)
    assert.equal(refused(http('http://user:secret@example.com/')), `${path} must not contain a user name or password.`)
    assert.equal(refused(http('http://user@example.com/')), `${path} must not contain a user name or password.`)
    assert.equal(refused(http('no scheme')), `${path} must be a valid URL.`)
    assert.equal(refused(http('http://exa\nmple.com/')), `${path} must be a valid URL.`)
    assert.equal(refused(http(`http://h/${'u'.repeat(2040)}`)), `${path} must have at most 2048 characters.`)
    assert.equal(refused(http('u'.repeat(2 ** 20))), `${path} must have at most 2048 characters.`)
    const metadata = [
      'http://169.254.169.254/latest',
      'http://0xA9FEA9FE/',
      'http://2852039166/',
      'http://[fd00:ec2::254]/'
    ]
    for (const uri of [...metadata, 'http://[fe80::1]/', 'http://[febf::1]/', 'http://[::ffff:169.254.1.2]/']) {
      assert.equal(refused(http(uri)), `${path} must not name a link-local or metadata address.`)
    }
  })
})
