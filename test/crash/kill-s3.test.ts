import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { createInputFolder, MIB, taskOf } from '../helpers/s3-fixture.ts'
import { startS3Server } from '../helpers/s3-server.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { startServer } from '../helpers/server-process.ts'
import { append, appendAll, createStream, defining, readAll, succeed } from '../helpers/stream-calls.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

/*
 * The built server is killed in the middle of uploads, at requests that a seed chooses. In the end every file is in S3 as
 * it is on the disk, every task has been told to be done, and no part was sent more often than there were interruptions.
 */

const KILLS = 12
const TASKS = 12
/** Fast enough for a test, slow enough for a kill to hit an upload. */
const BANDWIDTH_KBIT = '160000'

const folder = createInputFolder()
after(() => folder.remove())

interface Status {
  readonly status: number
  readonly statusContext: { readonly sequenceNumber: number }
}
const SUCCESS = 0
const CANCELED = 4
const FINAL = [0, 1, CANCELED]

test('uploads survive kills', async (t) => {
  const seed = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? 1)
  const random = createSeededRandom(seed)
  t.diagnostic(`seed ${seed}`)
  const s3 = await startS3Server()
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_S3: s3.origin,
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'secret',
    STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH: BANDWIDTH_KBIT
  }
  const first = await startServer({ environment })
  let server = first
  t.after(async () => {
    await server.dispose()
    await first.dispose()
    await s3.close()
  })
  let client = await WireClient.connect({ port: server.port })
  await createStream(client, 'statuses')
  const executor = { identifier: 's3', statusConfig: { statusStreamName: 'statuses' } }
  await createStream(client, 'tasks', { exportDefinition: { s3TaskExecutor: [executor] } })

  const expected = new Map<string, string>()
  for (let task = 0; task < TASKS; task++) {
    const bytes = task % 3 === 0 ? 10_000 : 6 * MIB + Math.floor(random.fraction() * 8 * MIB)
    const content = random.bytes(bytes)
    const path = folder.write(`file-${task}`, content)
    expected.set(`bucket/key-${task}`, createHash('sha256').update(content).digest('hex'))
    assert.equal(await append(client, 'tasks', JSON.stringify(taskOf(path, { key: `key-${task}` }))), task)
  }

  let kills = 0
  while (kills < KILLS && !s3.objects.has(`bucket/key-${TASKS - 1}`)) {
    const target = s3.requests.length + 1 + Math.floor(random.fraction() * 4)
    await s3.until(() => s3.requests.length >= target || s3.objects.has(`bucket/key-${TASKS - 1}`))
    await server.kill('SIGKILL')
    kills += 1
    server = await startServer({ environment, storeRoot: first.storeRoot })
  }
  client = await WireClient.connect({ port: server.port })
  for (let done = 0; done < TASKS;) {
    const info = (await succeed(client, OP.describeMessageStream, { name: 'tasks' }))['messageStreamInfo'] as {
      exportStatuses: [{ lastExportedSequenceNumber: number }]
    }
    done = info.exportStatuses[0].lastExportedSequenceNumber + 1
  }

  for (const [name, sha256] of expected) assert.equal(s3.objects.get(name)?.sha256, sha256, name)
  const statuses = (await readAll(client, 'statuses')).map(({ payload }) => JSON.parse(payload.toString()) as Status)
  for (let task = 0; task < TASKS; task++) {
    const own = statuses.filter(({ statusContext }) => statusContext.sequenceNumber === task)
    const final = own.filter(({ status }) => FINAL.includes(status))
    assert.ok(final.length > 0 && final.every(({ status }) => status === SUCCESS), `task ${task}`)
    assert.equal(own.at(-1)?.status, SUCCESS)
  }
  const parts = s3.requests.filter(({ partNumber }) => partNumber !== undefined)
  const distinct = new Set(parts.map(({ key, partNumber }) => `${key} ${partNumber ?? 0}`)).size
  t.diagnostic(`${kills} kills, ${parts.length - distinct} of ${distinct} parts repeated`)
  assert.ok(kills >= TASKS / 2, 'the kills hit uploads')
  assert.ok(parts.length - distinct <= kills + 3 * s3.openUploads.length, 'only parts in flight are sent again')
  await client.close()
})

for (const end of ['stream', 'export'] as const) {
  test(`all tasks of a deleted ${end} are told to be cancelled, also when kills come in between`, async (t) => {
    const tasks = 5_000
    const first = await startServer({})
    let server = first
    t.after(async () => {
      await server.dispose()
      await first.dispose()
    })
    let client = await WireClient.connect({ port: server.port })
    await createStream(client, 'statuses')
    const executor = { identifier: 's3', disabled: true, statusConfig: { statusStreamName: 'statuses' } }
    await createStream(client, 'tasks', { exportDefinition: { s3TaskExecutor: [executor] } })
    const task = JSON.stringify(taskOf('/absent', {}))
    await appendAll(client, 'tasks', Array<string>(tasks).fill(task))

    if (end === 'stream') await succeed(client, OP.deleteMessageStream, { name: 'tasks' })
    else await succeed(client, OP.updateMessageStream, defining('tasks'))
    const toldSoFar = async (): Promise<Set<number>> => {
      const statuses = (await readAll(client, 'statuses')).map(
        ({ payload }) => JSON.parse(payload.toString()) as Status
      )
      assert.ok(statuses.every(({ status }) => status === CANCELED))
      return new Set(statuses.map(({ statusContext }) => statusContext.sequenceNumber))
    }
    const atKills: number[] = []
    for (let kill = 0; kill < 2; kill++) {
      await server.kill('SIGKILL')
      server = await startServer({ storeRoot: first.storeRoot })
      client = await WireClient.connect({ port: server.port })
      atKills.push((await toldSoFar()).size)
    }
    t.diagnostic(`told at the starts: ${atKills.join(', ')} of ${tasks}`)
    while ((await toldSoFar()).size < tasks);
    await client.close()
  })
}
