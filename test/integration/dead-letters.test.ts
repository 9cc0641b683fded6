import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ExportReport, StatusReport } from '../../component/monitor/report.ts'
import { startMonitored, type MonitoredServer } from '../helpers/monitored-server.ts'
import { appendAll, createStream, readAll } from '../helpers/stream-calls.ts'
import { startStrictIotAnalytics, type StrictIotAnalytics } from '../helpers/strict-iot-analytics.ts'
import { WireClient } from '../helpers/wire-client.ts'

/* What exports of the built server skip is kept with its reason, also across kills, and every message has one fate. */

const LETTERS = 'letters'
const BAD = /^bad/

interface Letter {
  readonly stream: string
  readonly export: string
  readonly exportKind: string
  readonly sequenceNumber: number
  readonly ingestTime: number
  readonly skippedAt: number
  readonly reason: string
  readonly payloadBytes: number
  readonly isPayloadCut: boolean
  readonly payload: string
}

/** Each seventh is one that the destination can never accept. */
const payloadsFrom = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => {
    const number = first + index
    return `${number % 7 === 3 ? 'bad' : 'good'} ${number} ${'x'.repeat(100)}`
  })
const numberOf = (payload: string): number => Number(payload.split(' ')[1])

/** A destination, and the servers of one store that export to it, one after another. */
class Scene {
  readonly #storeRoot = mkdtempSync(join(tmpdir(), 'stream-manager-letters-'))
  #server: MonitoredServer | undefined
  readonly cloud: StrictIotAnalytics

  private constructor(cloud: StrictIotAnalytics) {
    this.cloud = cloud
    cloud.failMessage = (payload) => (BAD.test(payload.toString()) ? 'InvalidRequestException' : undefined)
  }

  static async open(t: TestContext): Promise<Scene> {
    const scene = new Scene(await startStrictIotAnalytics())
    t.after(async () => {
      await scene.#server?.dispose()
      await scene.cloud.server.close()
      rmSync(scene.#storeRoot, { recursive: true, force: true })
    })
    return scene
  }

  async start(): Promise<{ server: MonitoredServer; client: WireClient }> {
    const environment = {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL_IOTANALYTICS: this.cloud.server.origin,
      STREAM_MANAGER_SETTINGS: JSON.stringify({ STREAM_MANAGER_EXPORTER_DEAD_LETTER_STREAM: LETTERS })
    }
    this.#server = await startMonitored({ storeRoot: this.#storeRoot, environment })
    return { server: this.#server, client: await WireClient.connect({ port: this.#server.port }) }
  }

  /** Numbers that the destination has, each once. */
  get delivered(): ReadonlySet<number> {
    return new Set(this.cloud.kept.map((payload) => numberOf(payload.toString())))
  }
}

const exporting = { iotAnalytics: [{ identifier: 'out', iotChannel: 'c', batchSize: 5 }] }

async function lettersOf(client: WireClient): Promise<Letter[]> {
  return (await readAll(client, LETTERS)).map(({ payload }) => JSON.parse(payload.toString()) as Letter)
}

function accountOf(report: StatusReport): ExportReport['account'] {
  const found = report.streams.find(({ name }) => name === 's')?.exports[0]
  assert.ok(found !== undefined)
  return found.account
}

test('what is skipped arrives in the dead-letter stream, with its reason and number', async (t) => {
  const scene = await Scene.open(t)
  const { server, client } = await scene.start()
  await createStream(client, LETTERS)
  await createStream(client, 's', { exportDefinition: exporting })
  const payloads = payloadsFrom(0, 40)
  await appendAll(client, 's', payloads)
  const report = await server.untilReport((latest) => {
    const { exported, skipped } = accountOf(latest)
    return exported + skipped === payloads.length
  })
  const bad = payloads.filter((payload) => BAD.test(payload)).map(numberOf)
  const { exported, skipped, waiting } = accountOf(report)
  assert.deepEqual([exported, skipped, waiting], [payloads.length - bad.length, bad.length, 0])
  assert.equal(scene.delivered.size, exported)
  const letters = await lettersOf(client)
  assert.deepEqual(
    letters.map(({ sequenceNumber }) => sequenceNumber),
    bad
  )
  const messages = new Map((await readAll(client, 's')).map((message) => [message.sequenceNumber, message]))
  for (const letter of letters) {
    const message = messages.get(letter.sequenceNumber)
    assert.ok(message !== undefined)
    assert.deepEqual([letter.stream, letter.export, letter.exportKind], ['s', 'out', 'iotAnalytics'])
    assert.match(letter.reason, /^InvalidRequestException/)
    assert.equal(letter.ingestTime, message.ingestTime)
    assert.ok(letter.skippedAt >= letter.ingestTime)
    assert.deepEqual(Buffer.from(letter.payload, 'base64'), message.payload)
    assert.deepEqual([letter.payloadBytes, letter.isPayloadCut], [message.payload.length, false])
  }
})

test('kills lose no letter, and all that was appended is exported, skipped, dropped or waiting', async (t) => {
  const scene = await Scene.open(t)
  let { server, client } = await scene.start()
  let appended = 0
  const appendMore = async (count: number): Promise<void> => {
    await appendAll(client, 's', payloadsFrom(appended, count))
    appended += count
  }
  const killAndStart = async (): Promise<void> => {
    await server.kill('SIGKILL')
    ;({ server, client } = await scene.start())
  }
  await createStream(client, LETTERS)
  await createStream(client, 's', { maxSize: 16_384, streamSegmentSize: 2_048, exportDefinition: exporting })

  // Nothing gets through, and what does not fit is overwritten.
  scene.cloud.poison = { name: 'ThrottlingException', status: 429 }
  scene.cloud.isPoison = () => true
  await appendMore(1)
  // By then the account is saved, which takes a second.
  await server.untilReport(({ streams }) => (streams.at(-1)?.exports[0]?.failedAttempts ?? 0) >= 2)
  await appendMore(399)
  await killAndStart()
  const blocked = accountOf(await server.untilReport((latest) => accountOf(latest).dropped.overwritten > 0))
  assert.ok(blocked.waiting > 0)
  assert.equal(blocked.dropped.overwritten + blocked.waiting, appended)

  scene.cloud.isPoison = () => false
  // From here on nothing is overwritten: what arrives right before a kill and is then removed would count as dropped.
  await server.untilReport((latest) => accountOf(latest).waiting === 0)
  for (let kills = 0; kills < 3; kills += 1) {
    const before = scene.cloud.kept.length
    await appendMore(20)
    // In the middle of it, as soon as something has arrived.
    while (scene.cloud.kept.length === before) await server.report()
    await killAndStart()
  }
  const { exported, skipped, dropped, waiting, origin } = accountOf(
    await server.untilReport((latest) => accountOf(latest).waiting === 0)
  )
  assert.deepEqual([origin, waiting, dropped.expired, dropped.damaged], [0, 0, 0, 0])
  assert.equal(exported + skipped + dropped.overwritten, appended)
  const letters = new Set((await lettersOf(client)).map(({ sequenceNumber }) => sequenceNumber))
  assert.equal(letters.size, skipped)
  assert.equal(scene.delivered.size, exported)
  for (let number = dropped.overwritten; number < appended; number += 1)
    assert.ok(scene.delivered.has(number) !== letters.has(number), `number ${number}`)
  assert.deepEqual(scene.cloud.violations, [])
})
