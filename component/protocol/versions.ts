import { fail, success, type Result } from '../model/failure.ts'
import type { ConnectRequest } from './requests/connect.ts'

/** The byte that each side sends before its first frame (protocol 1). */
export const CONNECT_VERSION = 1

/** Versions this server speaks, newest first. */
export const PROTOCOL_VERSIONS = ['1.1.0', '1.0.0'] as const
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number]

const VERSION_PATTERN = /^\d+\.\d+\.\d+$/

/**
 * Chooses the version of a connection: the client's own, else the first other one that both speak (protocol 3.3).
 * Fails with invalidProtocolVersion or unsupportedProtocolVersion; the connection is then closed after the answer.
 */
export function negotiateProtocolVersion(
  request: Pick<ConnectRequest, 'protocolVersion' | 'otherSupportedProtocolVersions'>
): Result<ProtocolVersion> {
  const { protocolVersion, otherSupportedProtocolVersions } = request
  if (protocolVersion === undefined || !VERSION_PATTERN.test(protocolVersion)) {
    return fail('invalidProtocolVersion', 'protocolVersion must have the form <major>.<minor>.<patch>')
  }
  for (const offered of [protocolVersion, ...otherSupportedProtocolVersions]) {
    const supported = PROTOCOL_VERSIONS.find((version) => version === offered)
    if (supported !== undefined) return success(supported)
  }
  return fail('unsupportedProtocolVersion', `supported protocol versions are ${PROTOCOL_VERSIONS.join(', ')}`)
}
