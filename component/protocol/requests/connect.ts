import { AUTH_TOKEN_CHARS_MAX, OTHER_VERSIONS_MAX } from '../../base/limits.ts'
import type { Fields } from '../fields.ts'
import { omitUndefined } from '../omit-undefined.ts'
import { parseRequest, type ParsedRequest } from './request.ts'

/** Connect, operation 1 (protocol 3.1). */
export interface ConnectRequest {
  /** Undefined when it is missing or not text: the answer is then InvalidProtocolVersion (reliability 7.2). */
  readonly protocolVersion: string | undefined
  readonly otherSupportedProtocolVersions: readonly string[]
  readonly sdkVersion?: string
  /** Absent, empty, longer than any token or not text is all the same: there is no token (protocol 3.1, reliability 7.2). */
  readonly authToken?: string
}

/** Parses Connect. Versions and token are judged by the server, each with a status of its own. */
export function parseConnect(payload: Buffer): ParsedRequest<ConnectRequest> {
  return parseRequest(payload, readConnect)
}

function readConnect(fields: Fields): ConnectRequest {
  const protocolVersion = fields.lenientText('protocolVersion')
  const otherSupportedProtocolVersions = fields.textList('otherSupportedProtocolVersions', OTHER_VERSIONS_MAX)
  const sdkVersion = fields.text('sdkVersion', {})
  const token = fields.lenientText('authToken')
  const authToken = token === undefined || token === '' || token.length > AUTH_TOKEN_CHARS_MAX ? undefined : token
  return { protocolVersion, otherSupportedProtocolVersions, ...omitUndefined({ sdkVersion, authToken }) }
}
