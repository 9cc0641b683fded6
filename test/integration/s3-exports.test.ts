import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { ftruncateSync, openSync, closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { memoryOf } from '../helpers/process-memory.ts'
import { createInputFolder, MIB, taskOf } from '../helpers/s3-fixture.ts'
import { startS3Server, type S3Server } from '../helpers/s3-server.ts'
import { connectSdk, sdkEnum, sdkObject, type SdkClient, type SdkObject } from '../helpers/sdk-client.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'

/*
 * S3 tasks through the built server, as an application sees them: the official SDK defines the stream, appends the tasks
 * and reads the status messages with its own classes.
 */

const { util } = createRequire(import.meta.url)('aws-greengrass-core-sdk/stream-manager') as {
  readonly util: {
    validateAndSerializeToJsonBytes(task: SdkObject): Buffer
    deserializeJsonBytesToObj(bytes: Buffer, type: unknown): SdkStatus
  }
}
const { StatusMessage } = createRequire(import.meta.url)('aws-greengrass-core-sdk/stream-manager/data') as {
  readonly StatusMessage: unknown
}

interface SdkStatus {
  readonly status: { readonly asMap: () => number }
  readonly message: string
  readonly statusContext: {
    readonly sequenceNumber: number
    readonly streamName: string
    readonly exportIdentifier: string
    readonly s3ExportTaskDefinition: { readonly inputUrl: string; readonly key: string }
  }
}

const folder = createInputFolder()
after(() => folder.remove())
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
const STATUS = ['success', 'failure', 'inProgress', 'warning', 'canceled']

interface Scene {
  readonly s3: S3Server
  server: ServerProcess
  client: SdkClient
  restart(): Promise<void>
  append(path: string, fields?: Readonly<Record<string, unknown>>, stream?: string): Promise<number>
  /** `[task, status, message]` of the first `count` status messages, once there are so many. */
  statuses(count: number): Promise<[number, string, string][]>
}

async function createScene(t: TestContext, environment: Record<string, string> = {}): Promise<Scene> {
  const s3 = await startS3Server()
  const settings = {
    environment: {
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: s3.origin,
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret',
      ...environment
    }
  }
  const first = await startServer(settings)
  const scene: Scene = {
    s3,
    server: first,
    client: await connectSdk(first.port),
    async restart() {
      scene.client.close()
      scene.server = await startServer({ ...settings, storeRoot: first.storeRoot })
      scene.client = await connectSdk(scene.server.port)
    },
    append(path, fields = {}, stream = 'tasks') {
      const { inputUrl, bucket, key } = { ...taskOf(path), ...fields }
      const task = sdkObject('S3ExportTaskDefinition', { InputUrl: inputUrl, Bucket: bucket, Key: key })
      return scene.client.appendMessage(stream, util.validateAndSerializeToJsonBytes(task))
    },
    async statuses(count) {
      const options = sdkObject('ReadMessagesOptions', {
        DesiredStartSequenceNumber: 0,
        MinMessageCount: count,
        MaxMessageCount: count,
        ReadTimeoutMillis: 30_000
      })
      const messages = await scene.client.readMessages('statuses', options)
      return messages.map(({ payload }) => {
        const { status, message, statusContext } = util.deserializeJsonBytesToObj(payload, StatusMessage)
        assert.equal(statusContext.streamName, 'tasks')
        assert.equal(statusContext.exportIdentifier, 's3')
        return [statusContext.sequenceNumber, STATUS[status.asMap()] ?? '', message]
      })
    }
  }
  t.after(async () => {
    scene.client.close()
    await scene.server.dispose()
    await first.dispose()
    await s3.close()
  })
  await scene.client.createMessageStream(streamOf('statuses'))
  await scene.client.createMessageStream(tasksOf())
  return scene
}

function streamOf(name: string, fields: Record<string, unknown> = {}): SdkObject {
  return sdkObject('MessageStreamDefinition', {
    Name: name,
    StrategyOnFull: sdkEnum('StrategyOnFull', 'OverwriteOldestData'),
    ...fields
  })
}

function tasksOf(level = 'INFO', fields: Record<string, unknown> = {}): SdkObject {
  const statusConfig = sdkObject('StatusConfig', {
    StatusLevel: sdkEnum('StatusLevel', level),
    StatusStreamName: 'statuses'
  })
  const executor = sdkObject('S3ExportTaskExecutorConfig', { Identifier: 's3', StatusConfig: statusConfig })
  return streamOf('tasks', {
    ExportDefinition: sdkObject('ExportDefinition', { S3TaskExecutor: [executor] }),
    ...fields
  })
}

test('a file is uploaded, and its statuses are read with the official classes', async (t) => {
  const scene = await createScene(t)
  const content = randomBytes(1_000)
  assert.equal(await scene.append(folder.write('small', content)), 0)
  assert.deepEqual(await scene.statuses(2), [
    [0, 'inProgress', 'upload started'],
    [0, 'success', 'uploaded 1000 bytes to s3://bucket/key']
  ])
  assert.equal(scene.s3.objects.get('bucket/key')?.sha256, sha256(content))
  const { exportStatuses } = await scene.client.describeMessageStream('tasks')
  assert.equal(exportStatuses[0]?.lastExportedSequenceNumber, 0)
  assert.equal(exportStatuses[0].exportedBytesFromStream, 1_000)
  assert.equal(exportStatuses[0].exportedMessagesCount, 1)
})

test('a task that fails for good makes room for the next one', async (t) => {
  const scene = await createScene(t)
  const path = folder.write('good', 'good')
  await scene.append(path, { bucket: 'missing-bucket' })
  await scene.append(join(folder.path, 'absent'))
  await scene.append(scene.server.storeRoot)
  await scene.append('/proc/self/environ')
  await scene.client.appendMessage('tasks', Buffer.from('not a task'))
  await scene.append(path)
  assert.deepEqual(await scene.statuses(12), [
    [0, 'inProgress', 'upload started'],
    [0, 'failure', 'NoSuchBucket: The specified bucket does not exist'],
    [1, 'inProgress', 'upload started'],
    [1, 'failure', 'InputFileNotFound: the input file does not exist'],
    [2, 'inProgress', 'upload started'],
    [2, 'failure', 'InputFileNotReadable: the input is not a file that can be read'],
    [3, 'inProgress', 'upload started'],
    [3, 'failure', 'InputFileNotAllowed: the input file may not be uploaded'],
    [4, 'inProgress', 'upload started'],
    [4, 'failure', 'InvalidTask: the task is not JSON'],
    [5, 'inProgress', 'upload started'],
    [5, 'success', 'uploaded 4 bytes to s3://bucket/key']
  ])
})

test('a server that is killed during an upload goes on with it', async (t) => {
  const scene = await createScene(t)
  const content = randomBytes(40 * MIB)
  let isHeld = true
  scene.s3.misbehave = ({ partNumber }) => (isHeld && partNumber === 4 ? { kind: 'hang' } : undefined)
  await scene.append(folder.write('killed', content))
  await scene.s3.until(({ partNumber }) => partNumber === 4)
  await scene.server.kill('SIGKILL')
  isHeld = false
  await scene.restart()
  assert.deepEqual(await scene.statuses(3), [
    [0, 'inProgress', 'upload started'],
    [0, 'inProgress', 'upload resumed'],
    [0, 'success', `uploaded ${content.length} bytes to s3://bucket/key`]
  ])
  assert.equal(scene.s3.objects.get('bucket/key')?.sha256, sha256(content))
  assert.deepEqual(
    scene.s3.requests.flatMap(({ partNumber }) => partNumber ?? []),
    [1, 2, 3, 4, 4, 5, 6, 7, 8]
  )
  assert.deepEqual(scene.s3.openUploads, [])
})

test('deleting the stream cancels its tasks and removes the unfinished upload', async (t) => {
  const scene = await createScene(t)
  scene.s3.misbehave = ({ partNumber }) => (partNumber === 2 ? { kind: 'hang' } : undefined)
  const path = folder.write('deleted', randomBytes(12 * MIB))
  for (let task = 0; task < 3; task++) await scene.append(path)
  await scene.s3.until(({ partNumber }) => partNumber === 2)
  await scene.client.deleteMessageStream('tasks')
  assert.deepEqual(await scene.statuses(4), [
    [0, 'inProgress', 'upload started'],
    [0, 'canceled', 'stream deleted'],
    [1, 'canceled', 'stream deleted'],
    [2, 'canceled', 'stream deleted']
  ])
  await scene.s3.until(({ operation }) => operation === 'Abort')
  assert.deepEqual(scene.s3.openUploads, [])
})

test('removing the export cancels its tasks, and the stream goes on', async (t) => {
  const scene = await createScene(t)
  scene.s3.misbehave = () => ({ kind: 'hang' })
  const path = folder.write('removed', 'content')
  for (let task = 0; task < 2; task++) await scene.append(path)
  await scene.s3.until(({ operation }) => operation === 'PutObject')
  await scene.client.updateMessageStream(streamOf('tasks'))
  assert.deepEqual(await scene.statuses(3), [
    [0, 'inProgress', 'upload started'],
    [0, 'canceled', 'export definition deleted'],
    [1, 'canceled', 'export definition deleted']
  ])
  assert.equal(await scene.append(path), 2)
})

test('a status stream that is not there does not hold uploads up', async (t) => {
  const scene = await createScene(t)
  await scene.client.deleteMessageStream('statuses')
  const path = folder.write('unreported', 'content')
  for (let task = 0; task < 3; task++) await scene.append(path, { key: `key-${task}` })
  await scene.s3.until(({ key }) => key === 'key-2')
  await scene.server.untilOutput('Status messages of S3 tasks are lost')
})

test('TRACE tells of every part, and of attempts that failed', async (t) => {
  const scene = await createScene(t)
  let failures = 1
  scene.s3.misbehave = ({ partNumber }) =>
    partNumber === 2 && failures-- > 0 ? { kind: 'error', status: 503, code: 'SlowDown' } : undefined
  await scene.client.updateMessageStream(tasksOf('TRACE'))
  await scene.append(folder.write('traced', randomBytes(11 * MIB)))
  assert.deepEqual(await scene.statuses(6), [
    [0, 'inProgress', 'upload started'],
    [0, 'inProgress', 'uploaded part 1 of 3'],
    [0, 'inProgress', 'upload attempt failed, will retry: SlowDown: as the test wants it'],
    [0, 'inProgress', 'uploaded part 2 of 3'],
    [0, 'inProgress', 'uploaded part 3 of 3'],
    [0, 'success', `uploaded ${11 * MIB} bytes to s3://bucket/key`]
  ])
})

test('memory stays flat during the upload of a large file', async (t) => {
  const scene = await createScene(t)
  const path = join(folder.path, 'sparse')
  const file = openSync(path, 'w')
  ftruncateSync(file, 1024 * MIB)
  closeSync(file)
  await scene.append(folder.write('before', randomBytes(12 * MIB)), { key: 'before' })
  await scene.statuses(2)
  const before = memoryOf(scene.server.pid).peakMiB
  await scene.append(path, { key: 'large' })
  await scene.s3.until(({ operation, key }) => operation === 'Complete' && key === 'large')
  await scene.statuses(4)
  assert.equal(scene.s3.objects.get('bucket/large')?.bytes, 1024 * MIB)
  const grown = memoryOf(scene.server.pid).peakMiB - before
  t.diagnostic(`grew by ${grown} MiB`)
  assert.ok(grown < 64, `the server grew by ${grown} MiB`)
})
