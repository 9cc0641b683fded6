/** A stream that this version cannot open, on the wire and for the tools: reliability 3.3, ST25, behaviour 3.8. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from '../../component/base/crc32.ts'
import { BUNDLE } from '../helpers/server-process.ts'
import { ServerLives } from '../helpers/server-lives.ts'
import { append, createStream, defining, listStreams, refuse, STATUS, succeed } from '../helpers/stream-calls.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

/** Makes the header of a segment that of a later version (docs/storage-format.md). */
function makeNewer(path: string): void {
  const bytes = readFileSync(path)
  bytes.writeUInt16LE(2, 8)
  const header = bytes.subarray(0, bytes.readUInt32LE(12))
  header.writeUInt32LE(crc32(header.subarray(20), crc32(header.subarray(0, 16))), 16)
  writeFileSync(path, bytes)
}

/** Exit code and output of `check`. */
function check(root: string): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BUNDLE, 'check', root], (error, out) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out })
    )
  })
}

test('it is listed, everything but a delete says why, and a delete frees its name and keeps its data', async (t) => {
  const servers = new ServerLives()
  t.after(() => servers.dispose())
  let server = await servers.start()
  let client = await WireClient.connect({ port: server.port })
  for (const name of ['a', 'b']) await createStream(client, name)
  assert.equal(await append(client, 'b', 'of b'), 0)
  client.halfClose()
  await server.kill('SIGTERM')
  const streams = join(server.storeRoot, 'streams-v1', 'streams')
  const folder = readdirSync(streams).find((name) => name.startsWith('b-')) ?? ''
  makeNewer(join(streams, folder, '0000000000000000000.log'))
  const offline = await check(server.storeRoot)
  assert.equal(offline.code, 2)
  assert.match(offline.out, /NEWER: 0000000000000000000\.log .*format version 2/)

  server = await servers.start()
  client = await WireClient.connect({ port: server.port })
  t.after(() => client.halfClose())
  assert.deepEqual(await listStreams(client), ['a', 'b'])
  const why = /^the message stream exists but cannot be opened: .*format version 2, .*; deleting it sets its data aside/
  const payload = Buffer.from('x')
  await refuse(client, OP.appendMessage, { name: 'b', payload }, STATUS.unknownFailure, why)
  await refuse(client, OP.readMessages, { streamName: 'b' }, STATUS.unknownFailure, why)
  await refuse(client, OP.describeMessageStream, { name: 'b' }, STATUS.unknownFailure, why)
  await refuse(client, OP.createMessageStream, defining('b'), STATUS.unknownFailure, why)
  await refuse(client, OP.updateMessageStream, defining('b'), STATUS.unknownFailure, why)
  await succeed(client, OP.deleteMessageStream, { name: 'b' })
  assert.deepEqual(await listStreams(client), ['a'])
  await createStream(client, 'b')
  assert.equal(await append(client, 'b', 'fresh'), 0)
  const live = await check(server.storeRoot)
  assert.equal(live.code, 0, live.out)
  assert.match(live.out, /^set aside .*: "?.*\n {2}in "quarantine\/b-[0-9a-f]{16}\.\d+"\n {2}NEWER: /m)
})
