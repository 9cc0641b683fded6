/** A system that takes only a part of each write: reliability ST11. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { buildRecorder } from '../helpers/recorded-calls.ts'
import { join } from 'node:path'
import { startServer } from '../helpers/server-process.ts'
import { appendAll, createStream, numbered, readAll } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

test('a server whose system takes only parts of its writes stores every message whole', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-short-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const environment = {
    LD_PRELOAD: buildRecorder(folder),
    RECORD_ROOT: folder,
    SHORT_WRITES: '1',
    UV_USE_IO_URING: '0'
  }
  const server = await startServer({ storeRoot: folder, environment })
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's', { streamSegmentSize: 4_096 })
  const texts = Array.from({ length: 40 }, (_, index) => `${index} `.padEnd(1 + ((index * 997) % 3_000), 'x'))
  await appendAll(client, 's', texts)
  const expected = texts.map((text, index): [number, string] => [index, text])
  assert.deepEqual(numbered(await readAll(client, 's')), expected)
  await client.close()
  await server.kill('SIGKILL')
  const later = await startServer({ storeRoot: folder })
  t.after(() => later.dispose())
  const reader = await WireClient.connect({ port: later.port })
  assert.deepEqual(numbered(await readAll(reader, 's')), expected)
  await reader.close()
})
