import { Fault } from '../base/fault.ts'

const UNTELLING_NAMES = new Set(['Error', 'AggregateError'])
/** The AWS clients give them the name of a time-out. */
const BROKEN_CONNECTION = new Set(['ECONNRESET', 'EPIPE'])
/** Where and why in OpenSSL: of `error:<number>:SSL routines:<function>:<reason>:<file>:<line>` the reason is of use. */
const TLS_REASON = /:SSL routines:\w*:([^:]+)/
/** Who in the AWS clients says so, and by whose setting. */
const OWN_REMARKS = /^@smithy\/[\w-]+ - | \(configured by .*\)\.?$/g

/** Longest reason that is worth showing. */
const REASON_CHARS_MAX = 300

/**
 * A short text for errorMessage (behaviour 6.5): `<ErrorName>: <message>`, on one line. A connection that was tried with
 * several addresses tells the first error.
 */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return reason('Error', String(error))
  // Our own faults are sentences that begin with their name.
  if (error instanceof Fault) return reasonOf(error.message)
  if (error instanceof AggregateError && error.errors.length > 0) return failureText(error.errors[0])
  // The parser quotes the answer, whoever that came from, and the client adds advice for programmers.
  if (error instanceof SyntaxError) return reason('InvalidResponse', 'the answer cannot be read')
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const tlsReason = TLS_REASON.exec(error.message)?.[1]
  if (tlsReason !== undefined) return reason('EPROTO', tlsReason)
  const isNamedByCode = UNTELLING_NAMES.has(error.name) || (code !== undefined && BROKEN_CONNECTION.has(code))
  return reason(isNamedByCode ? (code ?? 'Error') : error.name, error.message.replace(OWN_REMARKS, ''))
}

/** Joins name and message; control characters of either are replaced. */
export function reason(name: string, message: string): string {
  return reasonOf(`${name}: ${message}`)
}

function reasonOf(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return line.length > REASON_CHARS_MAX ? `${line.slice(0, REASON_CHARS_MAX)}…` : line
}
