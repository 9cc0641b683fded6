import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { parseCreateMessageStream } from '../../../component/protocol/requests/definition.ts'
import { createTargetPolicy, hostOf } from '../../../component/sinks/http/target.ts'
import { encodeMap } from '../../helpers/protocol-payloads.ts'
import { below, mutate, pick } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const CREDENTIALS = 'http://localhost:8080/credentials'
const policy = createTargetPolicy(CREDENTIALS)

const HOSTS = [
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.43518',
  '[::ffff:169.254.169.254]',
  '[::ffff:a9fe:a9fe]',
  '[fe80::1]',
  '[FEbf::1]',
  '[fd00:ec2::254]',
  '[64:ff9b::169.254.169.254]',
  '127.0.0.1:8080',
  '[::1]:8080',
  'localhost:8080',
  'LOCALHOST:8080',
  '0.0.0.0:8080',
  '10.0.0.1',
  'example.com',
  '１６９.２５４.169.254'
]
const TOKENS = [
  '.',
  ':',
  '@',
  '%2e',
  '%',
  '\t',
  '\n',
  '[',
  ']',
  '/',
  '\\',
  '#',
  '?',
  '0x',
  '00',
  '。',
  'http:',
  '::',
  'ffff:'
]
const BYTE_TOKENS = TOKENS.map((text) => Buffer.from(text))

/** The eight groups of an IPv6 address as the URL parser writes it. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)))
  const [first, last] = [groups(head), groups(tail ?? '')]
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}

/** The rule of reliability 6.2 H3, written down a second time: on numbers. */
function isForbidden(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('169.254.')
  if (isIP(host) !== 6) return false
  const groups = groupsOf(host)
  const [first = 0, second = 0] = groups
  if ((first & 0xffc0) === 0xfe80) return true
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped && groups[6] === 0xa9fe) return true
  return first === 0xfd00 && second === 0xec2 && groups.slice(2, 7).every((group) => group === 0) && groups[7] === 0x254
}

/** The addresses that HTTP exports may go to: what the parser of definitions lets pass and what the sink does. */
export const httpTargets: FuzzTarget = {
  name: 'http-targets',
  inputCount: 20_000,
  generate(random) {
    const scheme = pick(random, ['http://', 'https://', 'HTTP:', 'http:/', 'ftp://', 'http://a:b@', 'http://@'])
    const url = Buffer.from(`${scheme}${pick(random, HOSTS)}/path?q#f`)
    return random.fraction() < 0.2 ? url : mutate(random, url, { tokens: BYTE_TOKENS.slice(below(random, 4)) })
  },
  run(input) {
    const uri = input.toString()
    const http = [{ identifier: 'h', uri }]
    const request = encodeMap({
      requestId: 'r',
      definition: { name: 's', strategyOnFull: 1, exportDefinition: { http } }
    })
    const isAccepted = parseCreateMessageStream(request).kind === 'parsed'
    if (!URL.canParse(uri)) {
      assert.ok(!isAccepted, 'what is no URL is not accepted')
      return
    }
    const url = new URL(uri)
    const isSafe =
      (url.protocol === 'http:' || url.protocol === 'https:') &&
      url.username === '' &&
      url.password === '' &&
      !isForbidden(hostOf(url))
    const isRefused = policy.refusal(url) !== undefined
    if (!isSafe) assert.ok(isRefused, `the sink connects to ${url.href}`)
    if (!isSafe) assert.ok(!isAccepted, `a definition may name ${url.href}`)
    const isCredentials = url.port === '8080' && /^(localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/.test(url.hostname)
    if (isCredentials) assert.ok(isRefused, `the sink asks for credentials at ${url.href}`)
  }
}
