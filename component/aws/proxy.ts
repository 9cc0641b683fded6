import { BlockList, isIP } from 'node:net'
import { proxySetting } from '../base/proxy-setting.ts'
import type { AwsEnvironment } from './environment.ts'

/**
 * The proxy for a TLS connection to `host`:`port`, as the nucleus sets it (behaviour 11). NO_PROXY holds names with their
 * subdomains, addresses, CIDR ranges, any of them with a port, or `*`; names of variables in lower case count as well.
 * @returns undefined when the connection is made directly, also when the variable is not a URL
 */
export function proxyFor(environment: AwsEnvironment, host: string, port: number): URL | undefined {
  const { NO_PROXY, no_proxy } = environment
  const url = proxySetting(environment)?.url
  if (url === undefined) return undefined
  const exceptions = (NO_PROXY ?? no_proxy ?? '').split(/[\s,]+/).filter((entry) => entry !== '')
  return exceptions.some((entry) => matches(entry, withoutEndDot(host.toLowerCase()), port)) ? undefined : url
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true
  const { pattern, entryPort } = splitPort(entry.toLowerCase())
  if (entryPort !== undefined && entryPort !== port) return false
  if (isIP(host) !== 0) return matchesAddress(pattern, host)
  const suffix = withoutEndDot(pattern.replace(/^\*?\./, ''))
  return host === suffix || host.endsWith(`.${suffix}`)
}

/** A name with a dot at its end is the same name, which no search path completes. */
function withoutEndDot(name: string): string {
  return name.replace(/\.$/, '')
}

/** The colons of an IPv6 address are not a port; with one, or without, it may stand in brackets. */
function splitPort(entry: string): { readonly pattern: string; readonly entryPort: number | undefined } {
  const [, address, bits = '', bracketPort] = /^\[([^\]]*)\](\/\d+)?(?::(\d{1,5}))?$/.exec(entry) ?? []
  if (address !== undefined) return { pattern: address + bits, entryPort: numberOf(bracketPort) }
  const [, pattern = entry, port] = /^([^:]*):(\d{1,5})$/.exec(entry) ?? []
  return { pattern, entryPort: numberOf(port) }
}

function numberOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits)
}

function matchesAddress(pattern: string, address: string): boolean {
  const [network = '', bits] = pattern.split('/')
  const family = isIP(network)
  if (family === 0 || family !== isIP(address)) return false
  const [type, bitsMax] = family === 6 ? (['ipv6', 128] as const) : (['ipv4', 32] as const)
  // An address is the range of all its bits, however it is written.
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return false
  const prefix = bits === undefined ? bitsMax : Number(bits)
  if (prefix > bitsMax) return false
  const list = new BlockList()
  list.addSubnet(network, prefix, type)
  return list.check(address, type)
}
