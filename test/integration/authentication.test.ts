import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startFakeNucleus, type FakeNucleus, type NucleusFlavour } from '../helpers/fake-nucleus.ts'
import { BUNDLE, spawnServer, startServer, type ServerOptions, type ServerProcess } from '../helpers/server-process.ts'
import { OP, WireClient } from '../helpers/wire-client.ts'

/* The built server with a stand-in for the nucleus in its environment, through the SDK and without it. */

const TOKEN = 'A+COMPONENT/S+16'
const UNAUTHORIZED = 2
const NO_SDK = 'AWS IoT Device SDK cannot be loaded'

/** The bundle in a folder without the addon of aws-crt, as on an architecture that has none. */
function bundleWithoutSdk(folder: string): string {
  const files = [BUNDLE, join(dirname(BUNDLE), `lmdb-linux-${process.arch}.node`)]
  for (const file of files) copyFileSync(file, join(folder, basename(file)))
  return join(folder, basename(BUNDLE))
}

const environmentOf = (nucleus: FakeNucleus): Readonly<Record<string, string>> => ({
  STREAM_MANAGER_AUTHENTICATE_CLIENT: 'true',
  LOG_LEVEL: 'TRACE',
  SVCUID: nucleus.ownToken,
  AWS_CONTAINER_AUTHORIZATION_TOKEN: nucleus.ownToken,
  AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath
})

const connect = (server: ServerProcess, authToken: unknown): Promise<WireClient> =>
  WireClient.connect({ port: server.port, request: { authToken } })

async function assertAdmitted(server: ServerProcess, token: string): Promise<void> {
  const client = await connect(server, token)
  assert.equal(client.connectResponse?.map['status'], 0)
  assert.equal((await client.request(OP.listStreams, {})).map['status'], 0)
  await client.close()
}

/** The answer has the status, then the server ends the connection without a reset. */
async function assertRefused(server: ServerProcess, token: unknown, text = 'Unauthorized'): Promise<void> {
  const client = await connect(server, token)
  const { status, errorMessage } = client.connectResponse?.map ?? {}
  assert.deepEqual([status, errorMessage], [UNAUTHORIZED, text])
  assert.equal((await client.untilServerEnds()).length, 0)
  await client.close()
}

const SDK_PROGRAM = `
  const { StreamManagerClient } = require('aws-greengrass-core-sdk/stream-manager')
  const client = new StreamManagerClient({
    port: Number(process.argv[1]),
    onConnectCb: async () => {
      console.log('streams', await client.listStreams())
      client.close()
    }
  })`

/** What a program with the official client prints; a refused one dies of an unhandled rejection, so it has a process. */
function runSdkProgram(server: ServerProcess, token: string): Promise<string> {
  const env = { PATH: process.env['PATH'], AWS_CONTAINER_AUTHORIZATION_TOKEN: token }
  const args = ['-e', SDK_PROGRAM, String(server.port)]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: import.meta.dirname, env }, (_, stdout, stderr) => resolve(stdout + stderr))
  })
}

function describeServer(flavour: NucleusFlavour, isSdkThere: boolean): void {
  describe(`under the ${flavour} nucleus ${isSdkThere ? 'with' : 'without'} the SDK`, () => {
    let folder: string
    let nucleus: FakeNucleus
    let server: ServerProcess

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'stream-manager-auth-'))
      nucleus = await startFakeNucleus(flavour)
      const options: ServerOptions = isSdkThere ? {} : { bundle: bundleWithoutSdk(folder) }
      server = await startServer({ ...options, environment: environmentOf(nucleus) })
    })

    after(async () => {
      await server.dispose()
      await nucleus.dispose()
      rmSync(folder, { recursive: true })
    })

    it('the right client is used', () => {
      assert.equal(server.output().includes(NO_SDK), !isSdkThere, server.output())
    })

    it('the port is published before RUNNING is reported, both once', () => {
      const told = nucleus.asked.map(({ operation }) => operation)
      assert.deepEqual(told, ['UpdateConfiguration', 'UpdateState'])
      const { keyPath, valueToMerge } = nucleus.asked[0]!.payload
      assert.deepEqual([keyPath, valueToMerge], [[], { port: server.port }])
      assert.deepEqual(nucleus.asked[1]!.payload, { state: 'RUNNING' })
    })

    it('who has the token of a component is admitted', async () => {
      await assertAdmitted(server, TOKEN)
      assert.match(await runSdkProgram(server, TOKEN), /streams \[\]/)
    })

    it('everybody else is refused', async () => {
      const tokens = ['WRONG+TOKEN+0000', undefined, '', 'x'.repeat(60_000), 7, Buffer.from(TOKEN), null]
      for (const token of tokens) await assertRefused(server, token)
      assert.match(await runSdkProgram(server, 'WRONG+TOKEN+0000'), /Failed to establish connection with the server/)
      await assertAdmitted(server, TOKEN)
    })

    it('without a nucleus new clients are refused and old ones live on, until it is back', async () => {
      const old = await connect(server, TOKEN)
      await nucleus.stop()
      await server.untilOutput('There is no connection to the nucleus')
      await assertRefused(server, TOKEN, 'Unauthorized: the token could not be validated')
      assert.equal((await old.request(OP.listStreams, {})).map['status'], 0)
      const connects = nucleus.connects.length
      await nucleus.start()
      await nucleus.until(() => nucleus.connects.length > connects)
      await assertAdmitted(server, TOKEN)
      assert.equal((await old.request(OP.listStreams, {})).map['status'], 0)
      await old.close()
      assert.equal(nucleus.askedCount('UpdateState'), 1)
    })

    it('the server ends in order, and no token is in its output', async () => {
      assert.deepEqual(await server.kill(), { code: 0, signal: null })
      assert.deepEqual(nucleus.violations, [])
      for (const secret of [TOKEN, nucleus.ownToken, 'WRONG+TOKEN+0000']) assert.ok(!server.output().includes(secret))
    })
  })
}

describeServer('classic', true)
describeServer('lite', true)
describeServer('classic', false)
describeServer('lite', false)

describe('a nucleus that is not there at the start', () => {
  it('is told the port and RUNNING when it comes', async (t) => {
    const nucleus = await startFakeNucleus('lite')
    t.after(() => nucleus.dispose())
    await nucleus.stop()
    const server = await startServer({ environment: environmentOf(nucleus) })
    t.after(() => server.dispose())
    assert.match(
      server.output(),
      /\[WARN\] \(nucleus\) The nucleus could not be told; the server goes on\. \{what=RUNNING/
    )
    await assertRefused(server, TOKEN, 'Unauthorized: the token could not be validated')
    await nucleus.start()
    await nucleus.until(() => nucleus.askedCount('UpdateState') === 1)
    assert.equal(nucleus.askedCount('UpdateConfiguration'), 1)
    await assertAdmitted(server, TOKEN)
  })

  it('does not keep a server from ending in order while it is silent', async (t) => {
    const nucleus = await startFakeNucleus('classic')
    t.after(() => nucleus.dispose())
    nucleus.answers = false
    const server = spawnServer({ environment: environmentOf(nucleus) })
    t.after(() => server.dispose())
    await nucleus.until(() => nucleus.asked.length === 1)
    assert.deepEqual(await server.kill(), { code: 0, signal: null })
    assert.ok(!server.output().includes('reporting the state'))
  })
})

describe('a server that admits everybody', () => {
  it('asks the nucleus about nobody, but tells it that it runs', async (t) => {
    const nucleus = await startFakeNucleus('classic')
    t.after(() => nucleus.dispose())
    const environment = { ...environmentOf(nucleus), STREAM_MANAGER_AUTHENTICATE_CLIENT: 'false' }
    const server = await startServer({ environment })
    t.after(() => server.dispose())
    const client = await connect(server, undefined)
    assert.equal(client.connectResponse?.map['status'], 0)
    await client.close()
    assert.equal(nucleus.askedCount('ValidateAuthorizationToken'), 0)
    assert.equal(nucleus.askedCount('UpdateState'), 1)
  })
})
