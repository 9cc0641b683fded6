import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startFakeNucleus } from '../helpers/fake-nucleus.ts'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import { append, createStream } from '../helpers/stream-calls.ts'
import { WireClient } from '../helpers/wire-client.ts'

/* Ways by which Node.js itself would show what is in the memory of the server (reliability 6.2 K1, L4). */

const SECRETS = {
  AWS_CONTAINER_AUTHORIZATION_TOKEN: 'tOkEnOfThEeXcHaNgE0123456789',
  AWS_SECRET_ACCESS_KEY: 'vErYsEcReTaCcEsSkEy0123456789abcdefghijk',
  AWS_SESSION_TOKEN: 'sEsSiOnToKeN0123456789abcdefghijklmnopqr'
}
/** Answers that take longer, all together, than Node.js takes to open the inspector. */
const TURNS = 300

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-secrets-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A server under a nucleus, with every secret in its environment, and the values of all of them. */
async function startWithSecrets(
  t: TestContext,
  nodeArguments: readonly string[]
): Promise<{ readonly server: ServerProcess; readonly values: readonly string[] }> {
  const nucleus = await startFakeNucleus('classic')
  const environment = {
    ...SECRETS,
    SVCUID: nucleus.ownToken,
    AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath,
    STREAM_MANAGER_AUTHENTICATE_CLIENT: 'true'
  }
  const server = await startServer({ environment, nodeArguments })
  t.after(async () => {
    await server.dispose()
    await nucleus.dispose()
  })
  return { server, values: [...Object.values(SECRETS), nucleus.ownToken] }
}

test('the signal for which Node.js opens its inspector does nothing', async (t) => {
  const server = await startServer({ nodeArguments: ['--inspect-port=0'] })
  t.after(() => server.dispose())
  const client = await WireClient.connect({ port: server.port })
  await createStream(client, 's')
  process.kill(server.pid, 'SIGUSR1')
  for (let turn = 0; turn < TURNS; turn += 1) assert.equal(await append(client, 's', 'message'), turn)
  await client.close()
  assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null }, server.output())
  assert.doesNotMatch(server.output(), /debugger|inspector/i)
})

test('a diagnostic report of Node.js holds no token and no credential', async (t) => {
  const folder = makeFolder(t)
  const { server, values } = await startWithSecrets(t, ['--report-on-signal', `--report-directory=${folder}`])
  process.kill(server.pid, 'SIGUSR2')
  await server.untilOutput('Node.js report completed')
  const report = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  assert.match(report.join(''), /"STREAM_MANAGER_AUTHENTICATE_CLIENT": "true"/, 'it has the environment')
  for (const value of values) assert.ok(!report.join('').includes(value), 'it has a secret')
})

test('programs that the server starts inherit no token and no credential', async (t) => {
  const script = join(makeFolder(t), 'preload.cjs')
  const source = `const { execFileSync } = require('node:child_process')
    process.on('SIGUSR2', () => console.log(execFileSync('env').toString() + 'no more variables'))`
  writeFileSync(script, source)
  const { server, values } = await startWithSecrets(t, ['--require', script])
  process.kill(server.pid, 'SIGUSR2')
  await server.untilOutput('no more variables')
  assert.match(server.output(), /^STREAM_MANAGER_AUTHENTICATE_CLIENT=true$/m)
  for (const value of values) assert.ok(!server.output().includes(value), 'one has a secret')
})
