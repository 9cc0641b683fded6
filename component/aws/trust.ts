import { readFileSync, statSync } from 'node:fs'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'

/**
 * Gives what certificates of others are checked against; undefined: what Node.js trusts by itself.
 * @throws the error of the file system when the file of additional certificates cannot be read
 */
export type Trust = () => tls.SecureContext | undefined

/**
 * Trusts the certificates in the file of the nucleus beside all that Node.js trusts, with its own variables and options:
 * the nucleus' file has the root of a private or TLS-inspecting proxy where there is one (behaviour 11). The file is read
 * again when it has changed.
 * @param path of a PEM file; undefined when there is none
 */
export function createTrust(path: string | undefined): Trust {
  let held: { readonly version: string; readonly context: tls.SecureContext } | undefined
  return () => {
    if (path === undefined) return undefined
    const { ino, size, mtimeMs } = statSync(path)
    const version = [ino, size, mtimeMs].join(' ')
    if (held?.version !== version) held = { version, context: trusting(readFileSync(path, 'utf8')) }
    return held.context
  }
}

/**
 * The option `ca` would take the place of the usual certificates, and those cannot be listed: they may be the system's.
 * What that option itself is made of adds to them.
 */
function trusting(certificates: string): tls.SecureContext {
  const context = tls.createSecureContext()
  const native: unknown = context.context
  if (takesCertificates(native)) native.addCACert(certificates)
  return context
}

function takesCertificates(native: unknown): native is { addCACert(certificates: string): void } {
  return (
    typeof native === 'object' && native !== null && 'addCACert' in native && typeof native.addCACert === 'function'
  )
}

/** Options of a connection, with whom it trusts: the usual where the additional file cannot be read. */
export function trustedOptions<Options extends object>(
  options: Options,
  trust: Trust
): Options & { secureContext?: tls.SecureContext } {
  try {
    const secureContext = trust()
    return secureContext === undefined ? options : { ...options, secureContext }
  } catch {
    return options
  }
}

/** An agent that checks the certificates of servers against `trust`. */
export class TrustingAgent extends https.Agent {
  readonly #trust: Trust

  constructor(trust: Trust, options: https.AgentOptions) {
    super(options)
    this.#trust = trust
  }

  override createConnection(
    options: https.RequestOptions,
    connected?: (error: Error | null, stream: Duplex) => void
  ): Duplex | null | undefined {
    return super.createConnection(trustedOptions(options, this.#trust), connected)
  }
}
