const RESERVED = '$aws-gg-'
/** HTTP field names (RFC 9110, 5.6.2). */
const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/
const VISIBLE_ASCII = /^[\x20-\x7e]*$/

/** The user metadata of an object, and what was left out of it. */
export interface ObjectMetadata {
  /** Names without the prefix `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>
  /** Names that could not be used, as the application wrote them. */
  readonly dropped: readonly string[]
}

/**
 * The metadata to send (behaviour 10.3). Reserved names, and names that no HTTP header can carry, are left out; values
 * beyond ASCII are encoded as RFC 2047 has it, which is how the service itself shows them.
 */
export function objectMetadata(given: ReadonlyMap<string, string>): ObjectMetadata {
  const metadata = new Map<string, string>()
  const dropped: string[] = []
  for (const [name, value] of given) {
    const bare = name.toLowerCase().replace(/^x-amz-meta-/, '')
    if (bare.startsWith(RESERVED) || !TOKEN.test(bare)) dropped.push(name)
    else metadata.set(bare, VISIBLE_ASCII.test(value) ? value : encodedWord(value))
  }
  return { metadata: Object.fromEntries(metadata), dropped }
}

function encodedWord(value: string): string {
  return `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`
}
