import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createHttpAgents } from '../../../component/sinks/http/post.ts'
import { createTrust, TrustingAgent } from '../../../component/aws/trust.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../../helpers/tls-fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'trust-'))
const server = https.createServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, (_request, response) => {
  response.setHeader('connection', 'close').end('hello')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
after(() => {
  server.close()
  server.closeAllConnections()
  rmSync(folder, { recursive: true })
})

/** @returns the status of an answer, or the code of the failure */
function ask(agent: https.Agent): Promise<number | string | undefined> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve) => {
    const request = https.get({ host: '127.0.0.1', port, agent }, (response) => resolve(response.resume().statusCode))
    request.on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
  })
}

function agentWith(path: string | undefined): TrustingAgent {
  return new TrustingAgent(createTrust(path), {})
}

function fileWith(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const UNTRUSTED = 'DEPTH_ZERO_SELF_SIGNED_CERT'

test('certificates of the file are trusted, by those who name it alone', async () => {
  assert.equal(await ask(agentWith(undefined)), UNTRUSTED)
  assert.equal(await ask(agentWith(fileWith('one.pem', TEST_CERTIFICATE))), 200)
  assert.equal(await ask(agentWith(undefined)), UNTRUSTED)
})

test('servers of HTTP exports may show them too', async () => {
  const path = fileWith('http.pem', TEST_CERTIFICATE)
  assert.equal(await ask(createHttpAgents(createTrust(path)).https), 200)
  assert.equal(await ask(createHttpAgents().https), UNTRUSTED)
})

test('a file that changes is read again', async () => {
  const agent = agentWith(fileWith('changing.pem', ''))
  assert.equal(await ask(agent), UNTRUSTED)
  fileWith('changing.pem', `# first a remark\n${TEST_CERTIFICATE}`)
  assert.equal(await ask(agent), 200)
})

test('a file that cannot be used takes nothing from the usual certificates', async () => {
  for (const path of [join(folder, 'absent'), folder, fileWith('text.pem', 'no certificate')]) {
    assert.equal(await ask(agentWith(path)), UNTRUSTED)
  }
  assert.throws(createTrust(join(folder, 'absent')), { code: 'ENOENT' })
})

test('the file is read once as long as it stays the same', () => {
  const trust = createTrust(fileWith('same.pem', TEST_CERTIFICATE))
  assert.equal(trust(), trust())
  assert.equal(createTrust(undefined)(), undefined)
})
