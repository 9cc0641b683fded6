import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyFor } from '../../../component/aws/proxy.ts'
import type { AwsEnvironment } from '../../../component/aws/index.ts'

function proxy(environment: AwsEnvironment, host = 'kinesis.eu-central-1.amazonaws.com'): string | undefined {
  return proxyFor(environment, host, 443)?.href
}

test('the variables of https come before those of all schemes', () => {
  assert.equal(proxy({}), undefined)
  assert.equal(proxy({ HTTPS_PROXY: 'http://a:1', ALL_PROXY: 'http://b:2' }), 'http://a:1/')
  assert.equal(proxy({ https_proxy: 'http://a:1', ALL_PROXY: 'http://b:2' }), 'http://a:1/')
  assert.equal(proxy({ all_proxy: 'https://u:p@b:2' }), 'https://u:p@b:2/')
})

test('a proxy without scheme is http, others than http and https are not used', () => {
  assert.equal(proxy({ HTTPS_PROXY: 'proxy.local:3128' }), 'http://proxy.local:3128/')
  assert.equal(proxy({ HTTPS_PROXY: 'socks5://proxy.local' }), undefined)
  assert.equal(proxy({ HTTPS_PROXY: 'http://[' }), undefined)
})

test('NO_PROXY takes names with their subdomains, addresses, ranges, ports and everything', () => {
  const isDirect = (NO_PROXY: string, host: string): boolean =>
    proxy({ HTTPS_PROXY: 'http://p', NO_PROXY }, host) === undefined
  for (const [list, host] of [
    ['*', 'any.host'],
    ['amazonaws.com', 'kinesis.eu-central-1.amazonaws.com'],
    ['.amazonaws.com', 'kinesis.eu-central-1.amazonaws.com'],
    ['*.Amazonaws.com', 'KINESIS.amazonaws.com'],
    ['a.b, c.d', 'c.d'],
    ['c.d:443', 'c.d'],
    ['10.0.0.0/8', '10.1.2.3'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3:443', '10.1.2.3'],
    ['fd00::/8', 'fd00::1'],
    ['fd00::1', 'fd00::1'],
    ['[fd00::1]', 'fd00::1'],
    ['[fd00::1]:443', 'fd00::1'],
    ['[fd00::]/8', 'fd00::1'],
    ['FD00:0:0::0:1', 'fd00::1'],
    ['c.d.', 'c.d'],
    ['.c.d', 'a.c.d.']
  ] as const) {
    assert.equal(isDirect(list, host), true, `${list} ${host}`)
  }
  for (const [list, host] of [
    ['', 'a.b'],
    ['amazonaws.com', 'notamazonaws.com'],
    ['c.d:8443', 'c.d'],
    ['10.0.0.0/8', '11.1.2.3'],
    ['10.0.0.0/99', '10.1.2.3'],
    ['10.0.0.0/8', 'fd00::1'],
    ['[fd00::1]:8443', 'fd00::1'],
    ['fd00::2', 'fd00::1'],
    ['[10.1.2.3', '10.1.2.3'],
    ['.', 'a.b'],
    ['a.b', '10.1.2.3']
  ] as const) {
    assert.equal(isDirect(list, host), false, `${list} ${host}`)
  }
  assert.equal(proxy({ HTTPS_PROXY: 'http://p', no_proxy: 'a.b' }, 'a.b'), undefined)
})
