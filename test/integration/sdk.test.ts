import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connectSdk, sdkEnum, sdkObject, withFields, type SdkClient, type SdkObject } from '../helpers/sdk-client.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'

let server: ServerProcess
let client: SdkClient

before(async () => {
  server = await startServer()
  client = await connectSdk(server.port)
})

after(async () => {
  client.close()
  await server.dispose()
})

const definitionOf = (name: string, fields: Record<string, unknown> = {}): SdkObject =>
  sdkObject('MessageStreamDefinition', {
    Name: name,
    StrategyOnFull: sdkEnum('StrategyOnFull', 'OverwriteOldestData'),
    ...fields
  })

const readOptions = (fields: Record<string, number>): SdkObject => sdkObject('ReadMessagesOptions', fields)

test('a stream is created, appended to, read, described and deleted', async () => {
  await client.createMessageStream(definitionOf('life'))
  assert.ok((await client.listStreams()).includes('life'))
  for (let number = 0; number < 10; number++) {
    assert.equal(await client.appendMessage('life', Buffer.from(`message ${number}`)), number)
  }
  const messages = await client.readMessages(
    'life',
    readOptions({ DesiredStartSequenceNumber: 4, MinMessageCount: 2, MaxMessageCount: 3 })
  )
  assert.deepEqual(
    messages.map(({ streamName, sequenceNumber, payload }) => [streamName, sequenceNumber, payload.toString()]),
    [4, 5, 6].map((number) => ['life', number, `message ${number}`])
  )
  const { definition, storageStatus, exportStatuses } = await client.describeMessageStream('life')
  assert.equal(definition.maxSize, 268_435_456)
  assert.equal(definition.streamSegmentSize, 16_777_216)
  assert.equal(storageStatus.oldestSequenceNumber, 0)
  assert.equal(storageStatus.newestSequenceNumber, 9)
  assert.ok(storageStatus.totalBytes >= 10 * 'message 0'.length)
  assert.deepEqual(exportStatuses, [])
  await client.deleteMessageStream('life')
  assert.equal((await client.listStreams()).includes('life'), false)
})

/** The SDK's exception classes do not set `name`. */
const isException = (className: string, message?: string) => (error: unknown) => {
  assert.ok(error instanceof Error)
  assert.equal(error.constructor.name, className)
  if (message !== undefined) assert.equal(error.message, message)
  return true
}

test('the texts that programs compare are the original ones', async () => {
  await client.createMessageStream(definitionOf('texts'))
  await assert.rejects(
    client.createMessageStream(definitionOf('texts')),
    isException('InvalidRequestException', 'the message stream already exists')
  )
  await assert.rejects(
    client.readMessages('texts', readOptions({ DesiredStartSequenceNumber: 0 })),
    isException(
      'NotEnoughMessagesException',
      'desired starting sequence number is greater than the last sequence number of the stream'
    )
  )
  await assert.rejects(
    client.readMessages('texts', readOptions({ ReadTimeoutMillis: 200 })),
    isException('NotEnoughMessagesException', 'not enough messages to return before time out')
  )
  await assert.rejects(client.appendMessage('nowhere', Buffer.from('x')), isException('ResourceNotFoundException'))
})

test('a description can be edited and sent back for every kind of export', async () => {
  const common = { Disabled: true }
  const exports = sdkObject('ExportDefinition', {
    Http: [sdkObject('HTTPConfig', { Identifier: 'h', Uri: 'http://127.0.0.1:1/x', ...common })],
    Kinesis: [sdkObject('KinesisConfig', { Identifier: 'k', KinesisStreamName: 'target', ...common })],
    IotAnalytics: [sdkObject('IoTAnalyticsConfig', { Identifier: 'a', IotChannel: 'channel', ...common })],
    IotSitewise: [sdkObject('IoTSiteWiseConfig', { Identifier: 'w', BatchSize: 7, ...common })],
    S3TaskExecutor: [sdkObject('S3ExportTaskExecutorConfig', { Identifier: 's', ...common })]
  })
  await client.createMessageStream(definitionOf('round', { ExportDefinition: exports }))
  const info = await client.describeMessageStream('round')
  assert.deepEqual(
    info.exportStatuses.map(({ exportConfigIdentifier }) => exportConfigIdentifier),
    ['h', 'a', 'k', 'w', 's']
  )
  assert.ok(info.exportStatuses.every(({ lastExportedSequenceNumber }) => lastExportedSequenceNumber === -1))
  await client.updateMessageStream(withFields(info.definition, { TimeToLiveMillis: 3_600_000 }))
  const updated = await client.describeMessageStream('round')
  assert.deepEqual(
    { ...updated.definition, timeToLiveMillis: undefined },
    { ...info.definition, timeToLiveMillis: undefined }
  )
})

test('many calls one after another, and several clients at a time', async () => {
  await client.createMessageStream(definitionOf('busy'))
  for (let number = 0; number < 100; number++) await client.appendMessage('busy', Buffer.alloc(100, number))
  const others = await Promise.all([1, 2, 3, 4].map(() => connectSdk(server.port)))
  const numbers = await Promise.all(
    others.map(async (other) => {
      const own: number[] = []
      for (let count = 0; count < 50; count++) own.push(await other.appendMessage('busy', Buffer.from('x')))
      other.close()
      return own
    })
  )
  const all = numbers.flat().sort((left, right) => left - right)
  assert.deepEqual(
    all,
    Array.from({ length: 200 }, (_, index) => 100 + index)
  )
})

test('parallel calls of one client are answered right, a waiting read among them', async () => {
  await client.createMessageStream(definitionOf('parallel'))
  const waiting = client.readMessages(
    'parallel',
    readOptions({ MinMessageCount: 100, MaxMessageCount: 100, ReadTimeoutMillis: 20_000 })
  )
  const numbers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => client.appendMessage('parallel', Buffer.from(String(index))))
  )
  assert.deepEqual(
    numbers,
    Array.from({ length: 100 }, (_, index) => index)
  )
  assert.equal((await waiting).length, 100)
})

test('30 MiB in one message', async () => {
  await client.createMessageStream(definitionOf('large'))
  const payload = Buffer.alloc(30 * 1024 * 1024)
  for (let offset = 0; offset < payload.length; offset += 4_096) payload.writeUInt32LE(offset, offset)
  assert.equal(await client.appendMessage('large', payload), 0)
  const [message] = await client.readMessages('large')
  assert.ok(message?.payload.equals(payload))
})

test('odd names are names like any other', async () => {
  const names = [
    '.',
    '..',
    ' ',
    'a.log',
    'odd',
    'ODD',
    'trailing.',
    '__proto__',
    'constructor',
    'x'.repeat(255),
    'a, b-c_d'
  ]
  for (const name of names) await client.createMessageStream(definitionOf(name))
  for (const name of names) await client.appendMessage(name, Buffer.from(name))
  const listed = await client.listStreams()
  for (const name of names) {
    assert.ok(listed.includes(name), name)
    const [message] = await client.readMessages(name)
    assert.equal(message?.payload.toString(), name)
    await client.deleteMessageStream(name)
  }
})
