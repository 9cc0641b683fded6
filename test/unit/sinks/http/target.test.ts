import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { createTargetPolicy } from '../../../../component/sinks/http/target.ts'

const policy = createTargetPolicy('http://localhost:4000/credentials')

function refused(url: string): boolean {
  return policy.refusal(new URL(url)) !== undefined
}

test('only http and https without credentials are allowed', () => {
  for (const url of ['ftp://host/', 'file:///etc/passwd', 'http://user@host/', 'http://:secret@host/', 'data:,x']) {
    assert.equal(refused(url), true, url)
  }
  for (const url of ['http://host/', 'https://host:8443/path?x=1', 'http://192.168.1.7/', 'http://localhost:8080/']) {
    assert.equal(refused(url), false, url)
  }
})

test('link-local and metadata addresses are refused in every spelling', () => {
  const urls = [
    'http://169.254.169.254/latest/meta-data/',
    'http://0xa9fea9fe/',
    'http://2852039166/',
    'http://169.254.1.1./',
    'http://[fe80::1]/',
    'http://[febf::1]/',
    'http://[fd00:ec2::254]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[64:ff9b::a9fe:a9fe]/'
  ]
  for (const url of urls) assert.equal(refused(url), true, url)
  assert.equal(refused('http://[fd00::1]/'), false)
})

test('the credential endpoint is refused in every spelling, other ports of the host are not', () => {
  const urls = [
    'http://localhost:4000/',
    'http://LOCALHOST:4000/',
    'http://127.0.0.1:4000/',
    'http://127.9.9.9:4000/',
    'http://0.0.0.0:4000/',
    'http://[::1]:4000/',
    'http://[::]:4000/',
    'http://[::ffff:127.0.0.1]:4000/'
  ]
  for (const url of urls) assert.equal(refused(url), true, url)
  assert.equal(refused('http://127.0.0.1:4001/'), false)
  assert.equal(refused('http://192.168.0.1:4000/'), false)
})

function look(
  addresses: LookupAddress[] | undefined,
  port: number,
  all: boolean
): Promise<{ error: Error | null; address: unknown }> {
  const checked = createTargetPolicy('http://localhost:4000/', (_host, _options, done) =>
    done(addresses === undefined ? new Error('not found') : null, addresses)
  )
  return new Promise((resolve) =>
    checked.lookupFor(port)('name', { all }, (error, address) => resolve({ error, address }))
  )
}

test('addresses are checked when a name is resolved', async () => {
  const fine = { address: '10.0.0.1', family: 4 }
  assert.deepEqual(await look([fine], 80, true), { error: null, address: [fine] })
  assert.deepEqual(await look([fine], 80, false), { error: null, address: '10.0.0.1' })
  for (const address of ['169.254.169.254', 'fe80::1%eth0', '::ffff:169.254.169.254']) {
    const family = address.includes(':') ? 6 : 4
    assert.equal((await look([fine, { address, family }], 80, true)).error?.name, 'RefusedTarget', address)
  }
  const loopback = { address: '127.0.0.1', family: 4 }
  assert.equal((await look([loopback], 4_000, false)).error?.name, 'RefusedTarget')
  assert.equal((await look([loopback], 80, false)).error, null)
})

test('a name that cannot be resolved fails', async () => {
  assert.equal((await look(undefined, 80, true)).error?.message, 'not found')
  assert.equal((await look([], 80, true)).error?.message, 'no address for name')
})
