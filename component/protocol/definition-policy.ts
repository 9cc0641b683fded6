import { EXPORTS_PER_STREAM_MAX, HTTP_URI_CHARS_MAX } from '../base/limits.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'

/**
 * Problems of a definition beyond its types and ranges, which no client checks (protocol 10.2): what Create and Update
 * refuse without looking at the server's state (reliability 7.2).
 * @returns sentences for errorMessage; none when it may be used
 */
export function definitionProblems(definition: StreamDefinition): readonly string[] {
  const { name, exports } = definition
  const problems = [...duplicateIdentifiers(exports)].map((id) => `export identifiers must be unique: ${id}`)
  if (exports.length > EXPORTS_PER_STREAM_MAX) {
    problems.push(`definition.exportDefinition: must have at most ${EXPORTS_PER_STREAM_MAX} elements.`)
  }
  exports
    .filter((definition) => definition.kind === 'http')
    .forEach(({ uri }, index) => {
      const problem = uriProblem(uri)
      if (problem !== undefined) problems.push(`definition.exportDefinition.http[${index}].uri: ${problem}`)
    })
  exports
    .filter((definition) => definition.kind === 's3')
    .forEach(({ statusConfig }, index) => {
      if (statusConfig?.statusStreamName !== name) return
      const path = `definition.exportDefinition.s3TaskExecutor[${index}].statusConfig.statusStreamName`
      problems.push(`${path}: must not be the stream itself.`)
    })
  return problems
}

/** Identifiers given more than once, within or across the kinds of one stream (behaviour 3.2). */
function duplicateIdentifiers(exports: readonly ExportDefinition[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const duplicates = new Set<string>()
  for (const { identifier } of exports) (seen.has(identifier) ? duplicates : seen).add(identifier)
  return duplicates
}

/**
 * The checks of an HTTP export's target that need no name resolution (reliability 6.2 H1, H3); the sink checks the
 * resolved address again.
 */
function uriProblem(uri: string): string | undefined {
  if (uri.length > HTTP_URI_CHARS_MAX) return `must have at most ${HTTP_URI_CHARS_MAX} characters.`
  // The URL parser drops control characters; what is checked here must be what is used later.
  if (/\p{Cc}/u.test(uri) || !URL.canParse(uri)) return 'must be a valid URL.'
  const url = new URL(uri)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must use http or https.'
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password.'
  if (isMetadataHost(url.hostname)) return 'must not name a link-local or metadata address.'
  return undefined
}

/** @param hostname as the URL parser writes it: addresses in their one canonical form */
function isMetadataHost(hostname: string): boolean {
  const isIpv4LinkLocal = /^169\.254\.\d+\.\d+$/.test(hostname) || /^\[::ffff:a9fe:[\da-f]+\]$/.test(hostname)
  const isIpv6LinkLocal = /^\[fe[89ab][\da-f]:/.test(hostname)
  return isIpv4LinkLocal || isIpv6LinkLocal || hostname === '[fd00:ec2::254]'
}
