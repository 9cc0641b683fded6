import { lookup as resolveName, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/**
 * Where exports may go. An export definition is written by any component on the device, so it must not reach what only
 * the host may ask: metadata services, link-local neighbours, the endpoint that hands out our credentials (reliability
 * 6.2 H1 to H4). The check is made on the resolved address at the moment of the connection: a name may resolve anew.
 */
export interface TargetPolicy {
  /** @returns why the URL is refused; undefined when it is fine as far as can be told without resolving its host */
  refusal(url: URL): string | undefined
  /** Resolves a host for a connection to `port`, and fails for refused addresses. */
  lookupFor(port: number): LookupFunction
}

/** Resolves a name to all its addresses. */
export type ResolveAll = (
  hostname: string,
  options: LookupOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[] | undefined) => void
) => void

const systemResolve: ResolveAll = (hostname, options, done) => resolveName(hostname, { ...options, all: true }, done)

function blockListOf(...subnets: readonly [address: string, bits: number][]): BlockList {
  const list = new BlockList()
  for (const [address, bits] of subnets) list.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return list
}

/** Link-local addresses of both families, AWS's IPv6 metadata range, and link-local IPv4 behind NAT64. */
const METADATA = blockListOf(['169.254.0.0', 16], ['fe80::', 10], ['fd00:ec2::', 32], ['64:ff9b::a9fe:0', 112])
/** All ways to the host itself: on Linux the unspecified address connects to loopback too. */
const HOST_ITSELF = blockListOf(['127.0.0.0', 8], ['0.0.0.0', 8], ['::1', 128], ['::', 128])

function contains(list: BlockList, address: string): boolean {
  // A scope id (fe80::1%eth0) is not part of the address.
  const [bare = address] = address.split('%')
  return list.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4')
}

/** The port that a connection for this URL goes to. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

/** Host of a URL as an address or a name, without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

/** @param credentialEndpoint URL of the service that hands out our credentials, if there is one */
export function createTargetPolicy(
  credentialEndpoint: string | undefined,
  resolve: ResolveAll = systemResolve
): TargetPolicy {
  const guarded =
    credentialEndpoint !== undefined && URL.canParse(credentialEndpoint) ? new URL(credentialEndpoint) : undefined
  const guardedHost = guarded === undefined ? undefined : hostOf(guarded)
  const guardedPort = guarded === undefined ? undefined : portOf(guarded)

  const addressRefusal = (address: string, port: number): string | undefined => {
    if (contains(METADATA, address)) return 'link-local and metadata addresses are not allowed'
    if (port !== guardedPort) return undefined
    return contains(HOST_ITSELF, address) || address === guardedHost
      ? 'the credential endpoint is not allowed'
      : undefined
  }

  return {
    refusal(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'only http and https are allowed'
      if (url.username !== '' || url.password !== '') return 'credentials in the URL are not allowed'
      const host = hostOf(url)
      if (isIP(host) !== 0) return addressRefusal(host, portOf(url))
      return host === guardedHost && portOf(url) === guardedPort ? 'the credential endpoint is not allowed' : undefined
    },
    lookupFor: (port) => (hostname, options, done) =>
      resolve(hostname, options, (error, addresses) => {
        const [first] = addresses ?? []
        if (error !== null || addresses === undefined || first === undefined) {
          done(error ?? new Error(`no address for ${hostname}`), '', 0)
          return
        }
        const refusal = addresses.map(({ address }) => addressRefusal(address, port)).find((text) => text !== undefined)
        if (refusal !== undefined) done(new RefusedTarget(refusal), '', 0)
        else if (options.all === true) done(null, addresses)
        else done(null, first.address, first.family)
      })
  }
}

/** The target of an export is one that policy forbids. */
export class RefusedTarget extends Error {
  override readonly name = 'RefusedTarget'
}
