/** The command line of the built program against the built server. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runBuilt, startBuilt, type CommandOptions } from '../helpers/command-process.ts'
import type { CommandOutcome } from '../helpers/command-run.ts'
import { startFakeNucleus } from '../helpers/fake-nucleus.ts'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { startEmulatedKinesis } from '../helpers/kinesis-fixture.ts'
import { BUNDLE, startServer, type ServerOptions, type ServerProcess } from '../helpers/server-process.ts'

interface Scene {
  readonly server: ServerProcess
  /** Runs a command for this server. */
  run(args: readonly string[], options?: CommandOptions): Promise<CommandOutcome>
  /** Runs one that must succeed silently on standard error; what it printed. */
  ok(args: readonly string[], input?: string): Promise<string>
}

async function open(t: TestContext, options: ServerOptions = {}): Promise<Scene> {
  const server = await startServer(options)
  t.after(() => server.dispose())
  const run: Scene['run'] = (args, given = {}) =>
    runBuilt(args, { ...given, environment: { STREAM_MANAGER_SERVER_PORT: String(server.port), ...given.environment } })
  return {
    server,
    run,
    async ok(args, input = '') {
      const { code, out, err } = await run(args, { input })
      assert.deepEqual([code, err], [0, ''], args.join(' '))
      return out
    }
  }
}

interface Described {
  readonly definition: { readonly maxSize: number; readonly flushOnWrite: boolean }
  readonly storage: { readonly messages: number; readonly newestSequenceNumber: number }
  readonly messagesPerSecond: number
  readonly exports: readonly {
    readonly identifier: string
    readonly state: string
    readonly next: number
    readonly lagMessages: number
    readonly lagSeconds: number | null
    readonly exportedMessages: number
    readonly error: { readonly text: string; readonly meaning: string; readonly remedy: string } | null
  }[]
}

const describeJson = async ({ ok }: Scene, name: string): Promise<Described> =>
  JSON.parse(await ok(['describe', name, '--json'])) as Described

/** Looks until an export is as it should be. */
async function untilExport(
  scene: Scene,
  name: string,
  isSo: (item: Described['exports'][number]) => boolean
): Promise<Described['exports'][number]> {
  for (let turn = 0; ; turn += 1) {
    const [item] = (await describeJson(scene, name)).exports
    if (item !== undefined && isSo(item)) return item
    assert.ok(turn < 100, JSON.stringify(item))
  }
}

test('streams are created, listed, filled, shown and deleted', async (t) => {
  const scene = await open(t)
  const { ok, run } = scene
  assert.equal(await ok(['list']), 'there are no streams\n')
  await ok([
    'create',
    'Sensor 1',
    '--max-size',
    '1MiB',
    '--segment-size',
    '64k',
    '--on-full',
    'reject',
    '--flush',
    'yes'
  ])
  const again = await run(['create', 'Sensor 1'])
  assert.deepEqual([again.code, again.err], [1, 'create: the message stream already exists\n'])
  assert.match(
    await ok(['append', 'Sensor 1', '--lines'], 'one\n\ntwo\r\n{"a":[1]}'),
    /^3 messages, 15 bytes, stored in "Sensor 1" as numbers 0 to 2\n$/
  )
  await ok(['append', 'Sensor 1', '--text', 'four \u001b[31m'])
  const list = (await ok(['list'])).split('\n')
  assert.match(list[1] ?? '', /^Sensor 1 +4 +\d+ bytes +0 % +3 +file, rejects +- +-$/)
  assert.deepEqual(await ok(['list', '--names']), 'Sensor 1\n')
  const { definition, storage, messagesPerSecond } = await describeJson(scene, 'Sensor 1')
  assert.deepEqual([definition.maxSize, definition.flushOnWrite, storage.messages], [1_048_576, true, 4])
  assert.ok(Math.abs(messagesPerSecond - 4 / 60) < 1e-9)
  assert.match(await ok(['tail', 'Sensor 1', '-n', '1']), /^3 {2}20\d\d-.*Z {2}four \\u001b\[31m\n$/)
  assert.match(
    await ok(['tail', 'Sensor 1', '--from', '2', '--count', '1', '--view', 'json']),
    /Z\n\{\n {2}"a": \[\n {4}1\n/
  )
  assert.match(
    await ok(['tail', 'Sensor 1', '--at', '5m', '--count', '1', '--view', 'hex']),
    / {2}00000000 {2}6f 6e 65 +\|one\|\n$/
  )
  assert.equal(await ok(['tail', 'Sensor 1', '--at', '2100-01-01T00:00:00Z']), '')
  const kept = await run(['delete', 'Sensor 1'])
  assert.equal(kept.code, 64)
  assert.match(kept.err, /would lose:\n {2}4 messages, .*\nNothing was done/)
  await ok(['delete', 'Sensor 1', '--yes'])
  const gone = await run(['describe', 'Sensor 1'])
  assert.deepEqual(gone, { code: 1, out: '', err: 'describe: the message stream does not exist\n' })
})

test('a definition goes out as a document, and comes back changed', async (t) => {
  const { ok, run } = await open(t)
  await ok(
    ['create', '-f', '-'],
    `name: s
maxSize: 2 MiB
streamSegmentSize: 1 MiB
strategyOnFull: OverwriteOldestData
exportDefinition:
  kinesis: [{ identifier: cloud, kinesisStreamName: '007', batchIntervalMillis: 2m, disabled: true }]
  s3TaskExecutor: [{ identifier: files, statusConfig: { statusLevel: WARN, statusStreamName: status } }]
`
  )
  const yaml = await ok(['describe', 's', '--yaml'])
  assert.match(yaml, /strategyOnFull: OverwriteOldestData\n/)
  assert.match(yaml, /kinesisStreamName: "007"\n +batchIntervalMillis: 120000\n/)
  assert.match(yaml, /statusLevel: WARN\n/)
  assert.equal(await ok(['update', 's', '-f', '-'], yaml), 'stream "s": nothing changes\n')
  const change = [
    'update',
    's',
    '--ttl',
    '7d',
    '--export',
    'kinesis:identifier=cloud,kinesisStreamName=other',
    '--remove-export',
    'files'
  ]
  const dry = await ok([...change, '--dry-run'])
  assert.match(dry, /^stream "s" would change:\n/)
  for (const line of [
    'timeToLiveMillis: none -> 604800000',
    'exportDefinition.kinesis.cloud.kinesisStreamName: 007 -> other',
    'exportDefinition.kinesis.cloud.disabled: true -> none',
    'exportDefinition.s3TaskExecutor.files.identifier: files -> none'
  ])
    assert.ok(dry.includes(`  ${line}\n`), line)
  assert.equal(await ok(['describe', 's', '--yaml']), yaml)
  await ok(change)
  assert.match(await ok(['describe', 's', '--yaml']), /timeToLiveMillis: 604800000[\s\S]*kinesisStreamName: other\n$/)
  const refused = await run(['update', 's', '--persistence', 'memory'])
  assert.deepEqual([refused.code, refused.err], [1, 'update: persistence of a message stream cannot be updated\n'])
  const typo = await run(['update', 's', '-f', '-'], { input: 'name: s\nstrategyOnFul: RejectNewData\n' })
  assert.deepEqual([typo.code, typo.out], [2, ''])
  assert.match(typo.err, /strategyOnFul is not known \(did you mean "strategyOnFull"\?\)/)
})

test('what tail prints as JSON is appended again, byte by byte', async (t) => {
  const { ok } = await open(t)
  for (const name of ['from', 'to']) await ok(['create', name])
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const binary = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256))
  const files = ['a', 'b'].map((name) => join(folder, name))
  files.forEach((file, index) => writeFileSync(file, binary.subarray(index)))
  await ok(['append', 'from', ...files])
  const lines = await ok(['tail', 'from', '--from', '0', '--json'])
  assert.match(
    await ok(['append', 'to', '--salvaged', '--json'], lines),
    /^\{"count":2,"bytes":139999,"first":0,"last":1\}\n$/
  )
  const payloads = (await ok(['tail', 'to', '--json'])).trimEnd().split('\n')
  assert.deepEqual(
    payloads.map((line) => Buffer.from((JSON.parse(line) as { payload: string }).payload, 'base64')),
    [binary, binary.subarray(1)]
  )
})

test('an append that is refused in the middle says how far it came', async (t) => {
  const { ok, run } = await open(t)
  await ok(['create', 'small', '--max-size', '2k', '--segment-size', '1k', '--on-full', 'reject'])
  const lines = Array.from({ length: 300 }, (_, index) => `message number ${index}\n`).join('')
  const { code, err } = await run(['append', 'small', '--lines'], { input: lines })
  assert.equal(code, 1)
  const last = /as numbers 0 to (\d+), and then: the message stream is full\n/.exec(err)?.[1]
  assert.ok(last !== undefined, err)
  assert.match(await ok(['tail', 'small', '-n', '1']), new RegExp(`^${last} .* message number ${last}\\n$`))
})

test('tail follows a stream, over a restart of the server, until it is interrupted', async (t) => {
  const first = await open(t)
  await first.ok(['create', 's'])
  const environment = { STREAM_MANAGER_SERVER_PORT: String(first.server.port) }
  const tail = startBuilt(['tail', 's', '-f', '--view', 'raw'], { environment })
  t.after(() => tail.child.kill('SIGKILL'))
  await first.ok(['append', 's', '--text', 'before\n'])
  await tail.until('before\n')
  await first.server.kill('SIGTERM')
  await tail.until('trying again')
  const second = await open(t, { storeRoot: first.server.storeRoot, environment })
  await second.ok(['append', 's', '--text', 'after\n'])
  await tail.until('after\n')
  tail.child.kill('SIGINT')
  assert.equal(await tail.end, 0)
  assert.equal(tail.out(), 'before\nafter\n')
})

test('tail ends when nobody reads it any more', async (t) => {
  const scene = await open(t)
  await scene.ok(['create', 's'])
  await scene.ok(['append', 's', '--lines'], 'x\n'.repeat(20_000))
  const tail = startBuilt(['tail', 's', '-f', '--from', '0'], {
    environment: { STREAM_MANAGER_SERVER_PORT: String(scene.server.port) }
  })
  await tail.until('0  ')
  tail.child.stdout?.destroy()
  assert.equal(await tail.end, 0)
})

test('an export is paused, resumed, and sends again from a number or a time on', async (t) => {
  const endpoint = await openHttpEndpoint()
  t.after(() => endpoint.close())
  const scene = await open(t)
  const { ok, run } = scene
  const uri = `http://127.0.0.1:${endpoint.port}/`
  await ok(['create', 's', '--export', `http:identifier=lab,uri=${uri},exportFormat=JSON_BATCHED`])
  assert.equal(await ok(['pause', 's', 'lab']), 'export "lab" paused\n')
  await ok(['append', 's', '--lines'], '0\n1\n2\n3\n4\n')
  const paused = await untilExport(scene, 's', ({ state }) => state === 'paused')
  assert.deepEqual([paused.lagMessages, paused.next, endpoint.received.size], [5, 0, 0])
  assert.equal(await ok(['resume', 's', '--all']), 'export "lab" resumed\n')
  assert.equal(await ok(['resume', 's', 'lab']), 'nothing to do: already resumed\n')
  await endpoint.untilReceived(5)
  await untilExport(scene, 's', ({ state }) => state === 'up to date')
  assert.equal(
    await ok(['replay', 's', 'lab', '--from', '2', '--dry-run']),
    'export "lab" would send 3 messages, from number 2 on\n'
  )
  // Twice, since the second time nothing in the definition would differ.
  for (const [round, sent] of [3, 6].entries()) {
    assert.equal(await ok(['replay', 's', 'lab', '--from', '2']), 'export "lab" sends 3 messages, from number 2 on\n')
    await untilExport(
      scene,
      's',
      ({ state, exportedMessages }) => state === 'up to date' && exportedMessages === 5 + sent
    )
    assert.equal(endpoint.duplicates, sent, `round ${round}`)
  }
  await ok(['replay', 's', 'lab', '--at', '1h'])
  await untilExport(scene, 's', ({ exportedMessages }) => exportedMessages === 16)
  assert.equal(endpoint.duplicates, 11)
  for (const [args, text] of [
    [['replay', 's', 'lab', '--from', '4'], /must be older than the newest, 4, and would be 4/],
    [['replay', 's', 'lba', '--from', '0'], /has no export "lba" \(did you mean "lab"\?\); it has "lab"/]
  ] as const) {
    const { code, err } = await run(args)
    assert.equal(code, 2)
    assert.match(err, text)
  }
  // What is empty begins anew, and its exports with it.
  const unconfirmed = await run(['purge', 's'])
  assert.deepEqual([unconfirmed.code, unconfirmed.out], [64, ''])
  assert.equal(await ok(['purge', 's', '--yes']), 'stream "s" is empty: 5 messages removed\n')
  assert.ok(!(await ok(['describe', 's', '--yaml'])).includes('startSequenceNumber'))
  await ok(['append', 's', '--text', '0'])
  await untilExport(scene, 's', ({ exportedMessages }) => exportedMessages === 1)
})

test('the last error of an export is told in plain words', async (t) => {
  const scene = await open(t)
  await scene.ok(['create', 's', '--export', 'http:identifier=lab,uri=http://127.0.0.1:9/'])
  await scene.ok(['append', 's', '--text', 'x'])
  const { error, lagMessages, lagSeconds } = await untilExport(scene, 's', ({ state }) => state === 'failing')
  assert.match(error?.text ?? '', /^ECONNREFUSED/)
  assert.equal(error?.meaning, 'the destination cannot be reached')
  assert.equal(lagMessages, 1)
  assert.ok((lagSeconds ?? -1) >= 0)
  const text = await scene.ok(['describe', 's'])
  assert.match(text, /^export "lab" to HTTP http:\/\/127\.0\.0\.1:9\/: FAILING$/m)
  assert.match(text, /^ {2}meaning +the destination cannot be reached$/m)
  assert.match(text, /^ {2}what to do +check network/m)
})

test('a server that wants tokens gets that of the option, the environment, or the process named', async (t) => {
  const nucleus = await startFakeNucleus('classic')
  t.after(() => nucleus.dispose())
  const { run, server } = await open(t, {
    environment: {
      STREAM_MANAGER_AUTHENTICATE_CLIENT: 'true',
      SVCUID: nucleus.ownToken,
      AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: nucleus.socketPath
    }
  })
  nucleus.tokens.add(nucleus.ownToken)
  const port = ['--port', String(server.port)]
  for (const [args, environment] of [
    [['--token', nucleus.ownToken], {}],
    [['--pid', String(server.pid)], {}],
    [[], { SVCUID: nucleus.ownToken }],
    [[], { AWS_CONTAINER_AUTHORIZATION_TOKEN: nucleus.ownToken }]
  ] as const) {
    assert.deepEqual(await run(['list', ...port, ...args], { environment }), {
      code: 0,
      out: 'there are no streams\n',
      err: ''
    })
  }
  const without = await run(['list', ...port])
  assert.equal(without.code, 2)
  assert.match(
    without.err,
    /^list: the server admits only clients that Greengrass knows \(.*\): give a token with --token or --pid\n$/
  )
  const wrong = await run(['list', ...port, '--token', 'WRONG'])
  assert.match(wrong.err, /the token is not, or no longer, valid\n$/)
})

test('without a server it says so, and a misspelt command starts none', async () => {
  const away = await runBuilt(['list', '--port', '1'])
  assert.equal(away.code, 2)
  assert.match(away.err, /^list: there is no server at 127\.0\.0\.1:1 \(.*ECONNREFUSED.*\): is it running/)
  const typo = await runBuilt(['lits'])
  assert.deepEqual(typo, {
    code: 64,
    out: '',
    err: 'there is no command "lits" (did you mean "list"?); stream-manager help lists all\n'
  })
  assert.equal((await runBuilt(['--no-such-option'])).code, 64)
  const port0 = await runBuilt(['list'], { environment: { STREAM_MANAGER_SERVER_PORT: '0' } })
  assert.match(port0.err, /STREAM_MANAGER_SERVER_PORT is "0": give --port/)
})

/** An HTTP server of few words. */
async function startServerOf(answer: RequestListener): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

interface Finding {
  readonly verdict: string
  readonly subject: string
  readonly text: string
  readonly remedy?: string
}

async function doctor({ run }: Scene, args: readonly string[], code: number): Promise<(subject: string) => Finding[]> {
  const outcome = await run(['doctor', '--json', ...args])
  assert.deepEqual([outcome.code, outcome.err], [code, ''], outcome.out)
  const { findings } = JSON.parse(outcome.out) as { findings: Finding[] }
  for (const { verdict, remedy } of findings) assert.equal(verdict !== 'ok', remedy !== undefined)
  return (subject) => findings.filter((finding) => finding.subject.startsWith(subject))
}

test('doctor goes the way to each destination with the environment of the server', async (t) => {
  const kinesis = await startEmulatedKinesis(1)
  const s3 = await startServerOf((request, response) => void response.writeHead(request.url === '/' ? 200 : 404).end())
  const http = await openHttpEndpoint()
  t.after(() => Promise.all([kinesis.close(), s3.close(), http.close()]))
  const scene = await open(t, {
    environment: {
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint,
      AWS_ENDPOINT_URL_S3: s3.origin,
      AWS_ENDPOINT_URL_IOTSITEWISE: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret'
    }
  })
  const { ok, server } = scene
  await ok([
    'create',
    's',
    '--export',
    'kinesis:identifier=good,kinesisStreamName=target',
    '--export',
    'kinesis:identifier=bad,kinesisStreamName=absent'
  ])
  await ok([
    'create',
    'h',
    '--export',
    `http:identifier=lab,uri=http://127.0.0.1:${http.port}/`,
    '--export',
    'http:identifier=shut,uri=http://127.0.0.1:9/'
  ])
  await ok(['create', 'w', '--export', 'sitewise:identifier=plant'])
  await ok([
    'create',
    'f',
    '--export',
    's3:identifier=files,disabled=true',
    '--export',
    's3:identifier=others,disabled=true'
  ])
  await ok(['append', 'f', '--text', JSON.stringify({ inputUrl: 'file:/none', bucket: 'absent-bucket', key: 'k' })])
  const find = await doctor(scene, ['--pid', String(server.pid), '--port', String(server.port)], 1)
  const told = (subject: string): string[] => find(subject).map(({ verdict, text }) => `${verdict} ${text}`)
  assert.match(told('server').join(), /^ok it answers, with 4 streams/)
  assert.deepEqual(told('region'), ['ok eu-central-1'])
  assert.deepEqual(told('credentials'), ['ok there are some from the environment or a profile'])
  assert.deepEqual(told('clock'), ['ok it agrees with that of the destinations'])
  assert.match(told('store').join(), new RegExp(`^ok .*, on which process ${server.pid} runs$`))
  assert.match(
    told('export "good"').join(),
    /^ok http.* answers, .*ok the stream "target" exists, and the credentials are accepted/
  )
  assert.match(told('export "bad"').join(), /problem the stream "absent" does not exist in this account and region/)
  assert.match(told('export "lab"').join(), /^ok http:\/\/127\.0\.0\.1:\d+ answers/)
  assert.match(
    told('export "shut"').join(),
    /problem http:\/\/127\.0\.0\.1:9 does not answer: the destination cannot be reached \(ECONNREFUSED/
  )
  assert.match(told('export "plant"').join(), /problem http:\/\/127\.0\.0\.1:9 does not answer/)
  assert.match(
    told('export "files"').join(),
    /problem the bucket "absent-bucket" does not exist.*warning it is paused; 1 message/
  )
  assert.equal(http.received.size, 0)
  // With the store alone it finds the process, and its environment.
  const byRoot = await doctor(scene, ['--root', server.storeRoot, '--port', String(server.port)], 1)
  assert.equal(byRoot('region')[0]?.text, 'eu-central-1')
  assert.equal(byRoot('settings')[0]?.verdict, 'ok')
})

test('doctor names a wrong clock, missing credentials and a missing region', async (t) => {
  const asked: string[] = []
  const late = await startServerOf((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`)
    response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString())
    response.writeHead(403).end()
  })
  t.after(() => late.close())
  const endpoint = late.origin
  const scene = await open(t)
  await scene.ok(['create', 's', '--export', 'kinesis:identifier=k,kinesisStreamName=target,disabled=true'])
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-doctor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'environment')
  writeFileSync(
    file,
    `# of the server\nexport AWS_ENDPOINT_URL="${endpoint}"\nAWS_CONTAINER_CREDENTIALS_FULL_URI=${endpoint}/credentials\nSTREAM_MANAGER_AUTHENTICATE_CLIENT=false\nSTREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE=many\n`
  )
  const find = await doctor(scene, ['--env-file', file, '--port', String(scene.server.port)], 1)
  const told = (subject: string): string[] => find(subject).map(({ verdict, text }) => `${verdict} ${text}`)
  assert.deepEqual(told('region'), ['problem none is set'])
  assert.match(
    told('credentials').join(),
    /^problem there are none from the token exchange service: there are no credentials for AWS \(.*status 403\)$/
  )
  assert.match(
    told('clock').join(),
    /^(problem it is 1 h ahead of|problem it is 59 min \d+ s ahead of|problem it is 1 h \d+ s ahead of)/
  )
  assert.match(told('settings').join('\n'), /^warning STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE is "many"/)
  // It has asked for credentials and for the way, and for nothing in the name of the server.
  assert.deepEqual([...new Set(asked)].sort(), ['GET /credentials', 'HEAD /'])
  const offline = await doctor(scene, ['--env-file', file, '--port', String(scene.server.port), '--offline'], 0)
  assert.deepEqual(offline('clock'), [])
})

test('doctor reads the definitions from the store when no server answers', async (t) => {
  const scene = await open(t)
  await scene.ok(['create', 's', '--export', 'http:identifier=lab,uri=http://127.0.0.1:9/'])
  await scene.server.kill()
  const find = await doctor(scene, ['--root', scene.server.storeRoot], 1)
  assert.match(find('server')[0]?.text ?? '', /^there is no server at/)
  assert.match(find('export "lab"')[0]?.text ?? '', /does not answer/)
})

test('the shell completes commands, options and names of streams', async (t) => {
  const scene = await open(t)
  await scene.ok(['create', 'Line 1'])
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-shell-'))
  t.after(() => rmSync(folder, { recursive: true }))
  // The wrapper of the package, reached over a link, as somebody puts one into a folder of the PATH.
  const wrapper = join(folder, 'package', 'stream-manager')
  mkdirSync(join(folder, 'package'))
  copyFileSync(join(import.meta.dirname, '..', '..', 'scripts', 'stream-manager'), wrapper)
  symlinkSync(BUNDLE, join(folder, 'package', 'stream-manager.cjs'))
  symlinkSync(wrapper, join(folder, 'stream-manager'))
  const complete = async (...words: string[]): Promise<string[]> => {
    const script = `source <(stream-manager completion bash)
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
      _stream_manager; printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = {
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      STREAM_MANAGER_NODE: process.execPath,
      STREAM_MANAGER_SERVER_PORT: String(scene.server.port)
    }
    const child = spawn('bash', ['-c', script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    await once(child, 'close')
    return out.trimEnd().split('\n')
  }
  assert.deepEqual(await complete('stream-manager', 're'), ['resume', 'replay'])
  assert.deepEqual(await complete('stream-manager', 'tail', '--fo'), ['--follow'])
  assert.deepEqual(await complete('stream-manager', 'describe', 'L'), ['Line\\ 1'])
  assert.deepEqual(await complete('stream-manager', 'completion', ''), ['bash', 'zsh', 'fish'])
})
