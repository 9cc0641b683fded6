import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { createCredentialSource, type AwsEnvironment, type CredentialSource } from '../../../component/aws/index.ts'
import { createFakeClock, flush, type FakeClock } from '../../helpers/fake-clock.ts'
import { answering, startScriptedServer } from '../../helpers/scripted-server.ts'

const server = await startScriptedServer()
const folder = mkdtempSync(join(tmpdir(), 'credentials-'))
after(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => (server.requests.length = 0))

const START_MS = 1_700_000_000_000
const CONTAINER: AwsEnvironment = {
  AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.origin}/credentials`,
  AWS_CONTAINER_AUTHORIZATION_TOKEN: 'the-token'
}

function source(environment: AwsEnvironment = CONTAINER): { ask: CredentialSource; clock: FakeClock } {
  const clock = createFakeClock(START_MS)
  return { ask: createCredentialSource(clock, environment), clock }
}

function answerKeys(id: string, lifeMs: number): ReturnType<typeof answering> {
  const Expiration = new Date(START_MS + lifeMs).toISOString()
  return answering(200, {}, JSON.stringify({ AccessKeyId: id, SecretAccessKey: 's', Token: 't', Expiration }))
}

test('the container endpoint is asked with its token and wins over keys in the environment', async () => {
  server.script = [answerKeys('first', 3_600_000)]
  const { ask } = source({ ...CONTAINER, AWS_ACCESS_KEY_ID: 'stray', AWS_SECRET_ACCESS_KEY: 'stray' })
  assert.deepEqual(await ask(), {
    accessKeyId: 'first',
    secretAccessKey: 's',
    sessionToken: 't',
    expiration: new Date(START_MS + 3_600_000)
  })
  assert.equal(server.requests[0]?.url, '/credentials')
  assert.equal(server.requests[0].headers.authorization, 'the-token')
})

test('credentials are kept until a while before they expire, and asked for once however many need them', async () => {
  server.script = [answerKeys('first', 600_000), answerKeys('second', 3_600_000)]
  const { ask, clock } = source()
  await Promise.all([ask(), ask(), ask()])
  assert.equal(server.requests.length, 1)
  clock.advance(299_999)
  assert.equal((await ask()).accessKeyId, 'first')
  clock.advance(1)
  assert.equal((await ask()).accessKeyId, 'second')
  assert.equal(server.requests.length, 2)
})

test('credentials that a service has refused are asked for anew, but not for each request', async () => {
  server.script = [answerKeys('first', 3_600_000), answerKeys('first', 3_600_000), answerKeys('second', 3_600_000)]
  const { ask, clock } = source()
  await ask()
  ask.refused?.()
  clock.advance(29_999)
  await ask()
  assert.equal(server.requests.length, 1)
  clock.advance(1)
  assert.equal((await ask()).accessKeyId, 'first')
  ask.refused?.()
  assert.equal((await ask()).accessKeyId, 'first')
  assert.equal(server.requests.length, 2)
  clock.advance(30_000)
  assert.equal((await ask()).accessKeyId, 'second')
  assert.equal(server.requests.length, 3)
})

test('while the endpoint fails, credentials are used until they expire', async () => {
  server.script = [answerKeys('first', 600_000), answering(500)]
  const { ask, clock } = source()
  await ask()
  clock.advance(400_000)
  assert.equal((await ask()).accessKeyId, 'first')
  clock.advance(200_000)
  await assert.rejects(ask(), {
    name: 'Fault',
    message: 'CredentialsError: the credential endpoint answered with status 500'
  })
})

test('a failed refresh is not repeated with every request', async () => {
  server.script = [answerKeys('first', 600_000), answering(500)]
  const { ask, clock } = source()
  await ask()
  clock.advance(300_000)
  for (let count = 0; count < 5; count += 1) assert.equal((await ask()).accessKeyId, 'first')
  assert.equal(server.requests.length, 2)
  clock.advance(30_000)
  server.script = [answerKeys('second', 3_600_000)]
  assert.equal((await ask()).accessKeyId, 'second')
})

test('a source that gives what is about to expire is not asked with every request', async () => {
  server.script = [answerKeys('first', 200_000), answerKeys('second', 200_000), answerKeys('third', 3_600_000)]
  const { ask, clock } = source()
  await ask()
  clock.advance(29_999)
  assert.equal((await ask()).accessKeyId, 'first')
  clock.advance(1)
  assert.equal((await ask()).accessKeyId, 'second')
  clock.advance(170_000)
  assert.equal((await ask()).accessKeyId, 'third', 'never beyond the expiry')
  server.script = [answerKeys('first', 10_000), answerKeys('second', 3_600_000)]
  const shorter = source()
  await shorter.ask()
  shorter.clock.advance(10_000)
  assert.equal((await shorter.ask()).accessKeyId, 'second')
})

test('after a failed refresh credentials are not used beyond their expiry either', async () => {
  server.script = [answerKeys('first', 600_000), answering(500)]
  const { ask, clock } = source()
  await ask()
  clock.advance(599_999)
  assert.equal((await ask()).accessKeyId, 'first')
  clock.advance(1)
  await assert.rejects(ask(), { name: 'Fault' })
})

test('the null of nucleus lite while it is offline is told as what it is, and asked again', async () => {
  server.script = [answering(200, { 'content-type': 'text/html' }, 'null'), answerKeys('first', 3_600_000)]
  const { ask } = source()
  await assert.rejects(ask(), {
    name: 'Fault',
    message: 'CredentialsError: the credential endpoint has no credentials now; it may not reach the cloud'
  })
  assert.equal((await ask()).accessKeyId, 'first')
})

test('an answer that breaks off is a fault', async () => {
  server.script = [
    (_, response) => {
      response.writeHead(200, { 'content-length': 1_000 })
      response.write('{"AccessKeyId":"secret"', () => response.destroy())
    }
  ]
  await assert.rejects(source().ask(), { name: 'Fault', message: /cannot be reached \(ECONNRESET\)$/ })
})

test('answers that are not credentials are faults that show nothing of their content', async () => {
  const answers = [
    '',
    'secret',
    '[]',
    '{}',
    '7',
    '<html>secret</html>',
    '{"AccessKeyId":"secret"}',
    `"${'x'.repeat(70_000)}"`
  ]
  answers.push('{"AccessKeyId":"secret","SecretAccessKey":"secret","Expiration":"soon"}')
  for (const body of answers) {
    server.script = [answering(200, {}, body)]
    await assert.rejects(source().ask(), (error: Error) => {
      assert.match(error.message, /^CredentialsError: /)
      assert.equal(error.message.includes('secret'), false)
      return true
    })
  }
})

test('an endpoint that is down, silent or not a URL is a fault', async () => {
  const closed = await startScriptedServer()
  await closed.close()
  await assert.rejects(
    source({ AWS_CONTAINER_CREDENTIALS_FULL_URI: closed.origin }).ask(),
    /cannot be reached \(ECONNREFUSED\)/
  )
  await assert.rejects(source({ AWS_CONTAINER_CREDENTIALS_FULL_URI: '::' }).ask(), /not a URL/)
  server.script = [() => undefined]
  const { ask, clock } = source()
  const asking = assert.rejects(ask(), /does not answer/)
  await server.received(1)
  await flush()
  clock.advance(20_000)
  await asking
})

test('without the endpoint, keys in the environment are used, then the shared profile', async () => {
  const file = join(folder, 'credentials')
  writeFileSync(
    file,
    '[default]\naws_access_key_id = a\naws_secret_access_key = b\n[edge]\naws_access_key_id = c\naws_secret_access_key = d\n'
  )
  const profile = { AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: join(folder, 'absent'), AWS_PROFILE: 'edge' }
  const keys = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' }
  assert.deepEqual(await source({ ...profile, ...keys }).ask(), { accessKeyId: 'k', secretAccessKey: 's' })
  assert.equal((await source(profile).ask()).accessKeyId, 'c')
})

test('no credentials anywhere is a fault', async () => {
  const absent = join(folder, 'absent')
  await assert.rejects(
    source({ AWS_SHARED_CREDENTIALS_FILE: absent, AWS_CONFIG_FILE: absent, AWS_PROFILE: 'none' }).ask(),
    /^Fault: CredentialsError: no credentials/
  )
})
