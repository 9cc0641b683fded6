import { BlockList, isIP } from 'node:net'
import type { AwsEnvironment } from './environment.ts'

/**
 * The proxy for a TLS connection to `host`:`port`, as the nucleus sets it (behaviour 11): the variables of https, then
 * those of all schemes; names in lower case count as well. NO_PROXY holds names with their subdomains, addresses, CIDR
 * ranges, any of them with a port, or `*`.
 * @returns undefined when the connection is made directly, also when the variable is not a URL
 */
export function proxyFor(environment: AwsEnvironment, host: string, port: number): URL | undefined {
  const { HTTPS_PROXY, https_proxy, ALL_PROXY, all_proxy, NO_PROXY, no_proxy } = environment
  const proxy = HTTPS_PROXY ?? https_proxy ?? ALL_PROXY ?? all_proxy
  if (proxy === undefined) return undefined
  const exceptions = (NO_PROXY ?? no_proxy ?? '').split(/[\s,]+/).filter((entry) => entry !== '')
  if (exceptions.some((entry) => matches(entry, host.toLowerCase(), port))) return undefined
  const text = proxy.includes('://') ? proxy : `http://${proxy}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true
  const { pattern, entryPort } = splitPort(entry.toLowerCase())
  if (entryPort !== undefined && entryPort !== port) return false
  if (isIP(host) !== 0) return matchesAddress(pattern, host)
  const suffix = pattern.replace(/^\*?\./, '')
  return host === suffix || host.endsWith(`.${suffix}`)
}

/** The colons of an IPv6 address are not a port. */
function splitPort(entry: string): { readonly pattern: string; readonly entryPort: number | undefined } {
  const colon = entry.lastIndexOf(':')
  const port = entry.slice(colon + 1)
  if (colon !== entry.indexOf(':') || !/^\d{1,5}$/.test(port)) return { pattern: entry, entryPort: undefined }
  return colon === -1
    ? { pattern: entry, entryPort: undefined }
    : { pattern: entry.slice(0, colon), entryPort: Number(port) }
}

function matchesAddress(pattern: string, address: string): boolean {
  const [network = '', bits] = pattern.split('/')
  const family = isIP(network)
  if (family === 0 || family !== isIP(address)) return false
  if (bits === undefined) return network === address
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (family === 6 ? 128 : 32)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(bits), family === 6 ? 'ipv6' : 'ipv4')
  return list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
