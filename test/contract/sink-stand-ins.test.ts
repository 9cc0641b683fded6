import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { PutRecordsCommand, type KinesisClient } from '@aws-sdk/client-kinesis'
import { createGate, TEST_KEYS, type Gate } from '../helpers/aws-model/gate.ts'
import { checkRequest } from '../helpers/aws-model/check-request.ts'
import { loadModel, type ServiceName } from '../helpers/aws-model/model.ts'
import { signatureProblem, type SignatureRules } from '../helpers/aws-model/signature.ts'
import { parseXml } from '../helpers/aws-model/xml.ts'
import { localKinesisClient } from '../helpers/kinesis-fixture.ts'
import { startScriptedServer, type ReceivedRequest } from '../helpers/scripted-server.ts'

/* The stand-ins for AWS judge the product; these tests judge the stand-ins. */

const AT = '2013-05-24T00:00:00Z'

/** Rules of the examples in https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
const PUBLISHED: SignatureRules = {
  service: 's3',
  region: 'us-east-1',
  keys: [{ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }],
  nowMs: Date.parse(AT),
  skewMsMax: 0
}

/** A request as those examples have it. */
function published(
  method: string,
  url: string,
  signedHeaders: string,
  signature: string,
  headers: Readonly<Record<string, string>> = {},
  body = ''
): ReceivedRequest {
  return {
    method,
    url,
    headers: {
      host: 'examplebucket.s3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
      authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`,
      ...headers
    },
    body: Buffer.from(body)
  }
}

const GET_OBJECT = published(
  'GET',
  '/test.txt',
  'host;range;x-amz-content-sha256;x-amz-date',
  'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  { range: 'bytes=0-9' }
)

test('signatures are computed as the service publishes them', () => {
  assert.equal(signatureProblem(GET_OBJECT, PUBLISHED), undefined)
  const put = published(
    'PUT',
    '/test%24file.text',
    'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    'Welcome to Amazon S3.'
  )
  assert.equal(signatureProblem(put, PUBLISHED), undefined)
  const headers = 'host;x-amz-content-sha256;x-amz-date'
  const flag = published(
    'GET',
    '/?lifecycle',
    headers,
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'
  )
  assert.equal(signatureProblem(flag, PUBLISHED), undefined)
  const list = published(
    'GET',
    '/?prefix=J&max-keys=2',
    headers,
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'
  )
  assert.equal(signatureProblem(list, PUBLISHED), undefined)
})

test('everything that is signed counts', () => {
  const [key] = PUBLISHED.keys
  assert.ok(key !== undefined)
  const { headers } = GET_OBJECT
  const problem = (request: Partial<ReceivedRequest>, rules: Partial<SignatureRules> = {}) =>
    signatureProblem({ ...GET_OBJECT, ...request }, { ...PUBLISHED, ...rules })
  const withHeader = (name: string, value: string) => problem({ headers: { ...headers, [name]: value } })
  assert.equal(problem({ method: 'PUT' }), 'mismatch')
  assert.equal(problem({ url: '/other.txt' }), 'mismatch')
  assert.equal(problem({ url: '/test.txt?x=1' }), 'mismatch')
  assert.equal(withHeader('range', 'bytes=0-10'), 'mismatch')
  assert.equal(withHeader('x-amz-content-sha256', 'UNSIGNED-PAYLOAD'), 'mismatch')
  assert.equal(problem({ body: Buffer.from('x') }), 'otherContent')
  assert.equal(problem({}, { keys: [{ ...key, secretAccessKey: 'other' }] }), 'mismatch')
  assert.equal(problem({}, { keys: [] }), 'unknownKey')
  assert.equal(problem({}, { keys: [{ ...key, sessionToken: 't' }] }), 'invalidToken')
  assert.equal(problem({}, { keys: [{ ...key, expiresMs: Date.parse(AT) }] }), 'expiredToken')
  assert.equal(problem({}, { keys: [{ ...key, expiresMs: Date.parse(AT) + 1 }] }), undefined)
  assert.equal(problem({}, { region: 'eu-central-1' }), 'wrongRegion')
  assert.equal(problem({}, { region: undefined }), undefined)
  assert.equal(problem({}, { service: 'kinesis' }), 'wrongService')
  assert.equal(problem({}, { nowMs: Date.parse(AT) + 1_000 }), 'tooLate')
  assert.equal(problem({}, { nowMs: Date.parse(AT) - 1_000 }), 'tooEarly')
  assert.equal(problem({}, { nowMs: Date.parse(AT) - 1_000, skewMsMax: 1_000 }), undefined)
  // Headers of AWS that are not signed could have been put in on the way.
  assert.equal(withHeader('x-amz-acl', 'public-read'), 'malformed')
  assert.equal(problem({ headers: { ...headers, authorization: 'Basic x' } }), 'malformed')
  const { authorization, ...unsigned } = headers
  assert.ok(authorization !== undefined)
  assert.equal(problem({ headers: unsigned }), 'missing')
})

/** A request of a real client, as it came in. */
async function captured(send: (client: KinesisClient) => Promise<unknown>): Promise<ReceivedRequest> {
  const server = await startScriptedServer()
  const client = localKinesisClient(server.origin)
  server.script = [(_request, response) => void response.writeHead(400).end()]
  await send(client).catch(() => undefined)
  client.config.requestHandler.destroy?.()
  await server.close()
  const [request] = server.requests
  assert.ok(request !== undefined)
  return request
}

const putRecords = (records: readonly { Data: Buffer; PartitionKey: string; ExplicitHashKey?: string }[]) =>
  captured((client) => client.send(new PutRecordsCommand({ StreamName: 'target', Records: [...records] })))

const RECORD = { Data: Buffer.from('x'), PartitionKey: 'k' }

/** Names of errors with which a request is refused. */
function refusal(gate: Gate, request: ReceivedRequest): string | undefined {
  return gate.examine(request)?.name
}

test('a request of the client passes, and the same request at another place, time or with another key does not', async () => {
  const request = await putRecords([RECORD])
  const gate = createGate('kinesis', ['PutRecords'])
  assert.equal(refusal(gate, request), undefined)
  assert.deepEqual(gate.violations, [])
  const elsewhere = createGate('kinesis', ['PutRecords'])
  elsewhere.region = 'us-east-1'
  assert.equal(refusal(elsewhere, request), 'InvalidSignatureException')
  const later = createGate('kinesis', ['PutRecords'])
  later.nowMs = () => Date.now() + 6 * 60_000
  assert.equal(refusal(later, request), 'InvalidSignatureException')
  const strange = createGate('kinesis', ['PutRecords'])
  strange.keys = [{ accessKeyId: 'other', secretAccessKey: 'secret' }]
  assert.equal(refusal(strange, request), 'UnrecognizedClientException')
  strange.keys = TEST_KEYS.map((key) => ({ ...key, expiresMs: 0 }))
  assert.equal(refusal(strange, request), 'ExpiredTokenException')
  const narrow = createGate('kinesis', ['ListShards'])
  assert.equal(refusal(narrow, request), 'UnknownOperationException')
  assert.deepEqual(strange.refusals, ['UnrecognizedClientException', 'ExpiredTokenException'])
})

test('constraints of the documentation are kept', async () => {
  const texts = async (records: Parameters<typeof putRecords>[0]): Promise<string> => {
    const gate = createGate('kinesis', ['PutRecords'])
    const error = gate.examine(await putRecords(records))
    return `${error?.name ?? 'none'}: ${gate.violations.join(', ')}`
  }
  assert.equal(await texts(Array.from({ length: 500 }, () => RECORD)), 'none: ')
  assert.match(
    await texts(Array.from({ length: 501 }, () => RECORD)),
    /^ValidationException: .*Records must be at most 500/
  )
  assert.match(await texts([]), /^ValidationException: .*at least 1/)
  assert.match(
    await texts([{ ...RECORD, PartitionKey: '' }]),
    /^ValidationException: .*PartitionKey must be at least 1/
  )
  assert.match(await texts([{ ...RECORD, PartitionKey: 'k'.repeat(257) }]), /PartitionKey must be at most 256/)
  assert.match(await texts([{ ...RECORD, ExplicitHashKey: '01' }]), /ExplicitHashKey must satisfy/)
  assert.match(await texts([{ ...RECORD, Data: Buffer.alloc(10_485_761) }]), /Data must be at most 10485760/)
})

/** A request without a signature, for the model alone. */
function plain(
  method: string,
  url: string,
  body = '',
  headers: Readonly<Record<string, string>> = {}
): ReceivedRequest {
  return {
    method,
    url,
    headers: { 'content-length': String(Buffer.byteLength(body)), ...headers },
    body: Buffer.from(body)
  }
}

function problems(service: ServiceName, operations: readonly string[], request: ReceivedRequest): string[] {
  return checkRequest(loadModel(service, operations), request).violations.map(({ text }) => text)
}

test('bodies are compared with their shapes', () => {
  const sitewise = (entries: unknown, more: object = {}): string[] => {
    const body = JSON.stringify({ entries, ...more })
    const request = plain('POST', '/properties', body, { 'content-type': 'application/json' })
    return problems('iotsitewise', ['BatchPutAssetPropertyValue'], request)
  }
  const value = { value: { doubleValue: 'NaN' }, timestamp: { timeInSeconds: 1 }, quality: 'GOOD' }
  const entry = { entryId: 'e', propertyAlias: '/a', propertyValues: [value] }
  const path = 'BatchPutAssetPropertyValue.entries'
  assert.deepEqual(sitewise([entry]), [])
  assert.deepEqual(sitewise([{ ...entry, assetId: null }]), [])
  assert.deepEqual(sitewise('x'), [`${path} is not a list`])
  assert.deepEqual(sitewise(Array(11).fill(entry)), [`${path} must be at most 10, but is 11`])
  assert.deepEqual(sitewise([{ ...entry, entryId: undefined }]), [`${path}[].entryId is missing`])
  assert.deepEqual(sitewise([{ ...entry, note: 1 }]), [`${path}[].note is unknown`])
  assert.deepEqual(sitewise([{ ...entry, assetId: 'x' }]).length, 1)
  assert.deepEqual(sitewise([entry], { Entries: [] }), ['BatchPutAssetPropertyValue.Entries is unknown'])
  const values = (each: object): string[] => sitewise([{ ...entry, propertyValues: [each] }])
  assert.deepEqual(values({ ...value, quality: 'good' }), [
    `${path}[].propertyValues[].quality must be one of GOOD, BAD, UNCERTAIN`
  ])
  assert.deepEqual(values({ ...value, value: { integerValue: 2 ** 31 } }), [
    `${path}[].propertyValues[].value.integerValue is not a whole number`
  ])
  assert.deepEqual(values({ ...value, timestamp: { timeInSeconds: 1.5 } }), [
    `${path}[].propertyValues[].timestamp.timeInSeconds is not a whole number`
  ])
  const messages = JSON.stringify({ channelName: 'c', messages: [{ messageId: 'm', payload: 'YQ=' }] })
  assert.deepEqual(
    problems(
      'iotanalytics',
      ['BatchPutMessage'],
      plain('POST', '/messages/batch', messages, { 'content-type': 'application/json' })
    ),
    ['BatchPutMessage.messages[].payload is not base64']
  )
})

test('places, parameters and headers are compared with their bindings', () => {
  const OPERATIONS = ['PutObject', 'UploadPart', 'CreateMultipartUpload', 'ListParts', 'CompleteMultipartUpload']
  const s3 = (...[method, url, body, headers]: Parameters<typeof plain>) =>
    checkRequest(loadModel('s3', OPERATIONS), plain(method, url, body, headers))
  const found = (...args: Parameters<typeof plain>): [string | undefined, string[]] => {
    const { operation, violations } = s3(...args)
    return [operation, violations.map(({ text }) => text)]
  }
  assert.deepEqual(found('PUT', '/bucket/a/b'), ['PutObject', []])
  assert.deepEqual(found('PUT', '/bucket/a?uploadId=u&partNumber=1&x-id=UploadPart'), ['UploadPart', []])
  assert.deepEqual(found('POST', '/bucket/a?uploads='), ['CreateMultipartUpload', []])
  assert.deepEqual(found('GET', '/bucket/a?uploadId=u&part-number-marker=x'), [
    'ListParts',
    ['ListParts.PartNumberMarker is not a whole number']
  ])
  assert.equal(found('PUT', '/bucket/a?partNumber=1')[0], undefined)
  assert.equal(found('DELETE', '/bucket/a')[0], undefined)
  assert.deepEqual(found('PUT', '/bucket/a?uploadId=u&partNumber=0')[1], [
    'UploadPart.PartNumber must be at least 1, but is 0'
  ])
  assert.deepEqual(found('PUT', '/Bucket/a')[1].length, 1)
  assert.deepEqual(found('PUT', '/bucket/a', '', { 'x-amz-meta-x': '1', 'x-amz-acl': 'private' })[1], [])
  assert.deepEqual(found('PUT', '/bucket/a', '', { 'x-amz-new': '1' })[1], ['the header x-amz-new is unknown'])
  assert.deepEqual(found('GET', '/bucket/a?uploadId=u', 'x')[1].length, 1)
  const complete = (xml: string): string[] => found('POST', '/bucket/a?uploadId=u', xml)[1]
  const part = '<Part><ETag>&quot;e&quot;</ETag><PartNumber>1</PartNumber></Part>'
  assert.deepEqual(complete(`<CompleteMultipartUpload xmlns="x">${part}</CompleteMultipartUpload>`), [])
  assert.deepEqual(complete(`<CompleteMultipartUpload>${part}`), ['the body is not XML'])
  assert.deepEqual(complete(`<Other>${part}</Other>`).length, 1)
  assert.deepEqual(complete('<CompleteMultipartUpload><Part><Size>1</Size></Part></CompleteMultipartUpload>'), [
    'CompleteMultipartUpload.MultipartUpload.Parts[].Size is unknown'
  ])
})

test('XML is read as far as bodies need it', () => {
  assert.deepEqual(parseXml('<?xml version="1.0"?><a b="c"><d>&lt;&#65;&#x42;</d><e/></a>'), {
    name: 'a',
    text: '',
    children: [
      { name: 'd', text: '<AB', children: [] },
      { name: 'e', text: '', children: [] }
    ]
  })
  for (const text of ['', 'x', '<a>', '</a>', '<a></b>', '<a/><b/>', '<a', '<a><b></a></b>']) {
    assert.equal(parseXml(text), undefined, text)
  }
})
