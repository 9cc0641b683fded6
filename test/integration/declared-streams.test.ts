import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startServer } from '../helpers/server-process.ts'
import { append, createStream, listStreams, readAll } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

const YAML = `
- name: from file
  strategyOnFull: RejectNewData
  exportDefinition:
    kinesis:
      - { identifier: cloud, kinesisStreamName: plant, disabled: true }
- name: misspelt
  strategyOnFull: RejectNewDate
`

test('streams are there before the first client, and clients keep theirs', async (t) => {
  const storeRoot = mkdtempSync(join(tmpdir(), 'declared-streams-'))
  t.after(() => rmSync(storeRoot, { recursive: true, force: true }))
  writeFileSync(join(storeRoot, 'streams.yaml'), YAML)
  const definitions = [{ name: 'from setting', strategyOnFull: 1, maxSize: '2048' }]
  const environment = {
    STREAM_MANAGER_LOG_FORMAT: 'json',
    // As nuclei hand objects over: as their JSON text (greengrass 2.2).
    STREAM_MANAGER_STREAMS: JSON.stringify({ definitions, delete: '' }),
    STREAM_MANAGER_SETTINGS: JSON.stringify({ STREAM_MANAGER_STREAMS_FILE: 'streams.yaml' })
  }
  const start = async (more: Record<string, string> = {}): Promise<{ events: LogEvent[]; client: WireClient }> => {
    const server = await startServer({ storeRoot, environment: { ...environment, ...more } })
    t.after(() => server.dispose())
    const events = server
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogEvent)
    const client = await WireClient.connect({ port: server.port })
    t.after(() => client.close())
    stops.push(async () => {
      await client.close()
      await server.kill()
    })
    return { events, client }
  }
  const stops: (() => Promise<void>)[] = []
  const appliedOf = (events: readonly LogEvent[]): unknown =>
    events.find(({ message }) => message === 'The declared streams were applied')?.fields

  const first = await start()
  assert.deepEqual(appliedOf(first.events), { created: 2, updated: 0, unchanged: 0, deleted: 0, refused: 0 })
  const problem = `${join(storeRoot, 'streams.yaml')}: definitions[1].strategyOnFull: must be one of RejectNewData, OverwriteOldestData (did you mean "RejectNewData"?).`
  assert.deepEqual(
    first.events.filter(({ level }) => level === 'ERROR').map(({ fields }) => fields),
    [{ problem }]
  )
  assert.equal(await append(first.client, 'from file', 'kept'), 0)
  await createStream(first.client, 'of a client', {})
  await stops.pop()?.()

  const second = await start({ STREAM_MANAGER_STREAMS: '{"definitions":"","delete":["from setting"]}' })
  assert.deepEqual(appliedOf(second.events), { created: 0, updated: 0, unchanged: 1, deleted: 1, refused: 0 })
  assert.deepEqual(await listStreams(second.client), ['from file', 'of a client'])
  assert.equal((await readAll(second.client, 'from file')).length, 1)
  await stops.pop()?.()
})

interface LogEvent {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}
