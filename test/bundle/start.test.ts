import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { BUNDLE, type ServerOptions, spawnServer, startServer } from '../helpers/server-process.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

const ADDON = `lmdb-linux-${process.arch}.node`
const DEFINITION: WireMap = { name: 'readings', strategyOnFull: 1 }

async function requestOk(client: WireClient, operation: number, map: WireMap): Promise<WireMap> {
  const answer = await client.request(operation, map)
  assert.equal(answer.map['status'], 0, JSON.stringify(answer.map))
  return answer.map
}

describe('the bundle', () => {
  it('runs from a folder without packages, keeps messages over a restart and ends in order', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'stream-manager-bundle-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const bundle = join(folder, 'stream-manager.cjs')
    copyFileSync(BUNDLE, bundle)
    copyFileSync(join(dirname(BUNDLE), ADDON), join(folder, ADDON))
    const storeRoot = join(folder, 'store')
    mkdirSync(storeRoot, { mode: 0o700 })

    const first = await startServer({ bundle, storeRoot })
    t.after(() => first.dispose())
    const writer = await WireClient.connect({ port: first.port })
    assert.equal(writer.connectResponse?.map['status'], 0)
    await requestOk(writer, OP.createMessageStream, { definition: DEFINITION })
    for (const text of ['one', 'two']) {
      await requestOk(writer, OP.appendMessage, { name: 'readings', payload: Buffer.from(text) })
    }
    await writer.close()
    assert.deepEqual(await first.kill('SIGTERM'), { code: 0, signal: null })

    const second = await startServer({ bundle, storeRoot })
    t.after(() => second.dispose())
    const reader = await WireClient.connect({ port: second.port })
    const answer = await requestOk(reader, OP.readMessages, {
      streamName: 'readings',
      readMessagesOptions: {
        desiredStartSequenceNumber: 0,
        minMessageCount: 2,
        maxMessageCount: 10,
        readTimeoutMillis: 0
      }
    })
    const messages = answer['messages'] as { sequenceNumber: number; payload: Uint8Array }[]
    assert.deepEqual(
      messages.map(({ sequenceNumber, payload }) => [sequenceNumber, Buffer.from(payload).toString()]),
      [
        [0, 'one'],
        [1, 'two']
      ]
    )
    await reader.close()
    assert.deepEqual(await second.kill('SIGINT'), { code: 0, signal: null })
  })

  const failures: readonly [what: string, options: ServerOptions, line: RegExp][] = [
    ['an unusable port', { environment: { STREAM_MANAGER_SERVER_PORT: 'http' } }, /\[ERROR\].*SERVER_PORT is "http"/],
    [
      'authentication without a nucleus',
      { environment: { STREAM_MANAGER_AUTHENTICATE_CLIENT: 'true' } },
      /\[ERROR\].*no Greengrass nucleus/
    ],
    [
      'a missing store folder',
      { environment: { STREAM_MANAGER_STORE_ROOT_DIR: '/nowhere/at/all' } },
      /\[ERROR\].*\/nowhere\/at\/all/
    ]
  ]
  for (const [what, options, line] of failures) {
    it(`ends with exit code 1 and an ERROR line for ${what}`, async (t) => {
      const server = spawnServer(options)
      t.after(() => server.dispose())
      assert.deepEqual(await server.untilExit(), { code: 1, signal: null })
      assert.match(server.output(), line)
      assert.ok(!existsSync('/nowhere'))
    })
  }
})
