import { formatTime } from './date-pattern.ts'

/** Longest object key, in bytes of UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const KEY_BYTES_MAX = 1_024
const PLACEHOLDER = /!\{([a-zA-Z]+):([a-zA-Z/]+)\}/g

/** The key, or why there is none: a text for the Failure status. */
export type ResolvedKey = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly problem: string }

/**
 * Replaces the placeholders of a key (behaviour 10.3).
 * @param wallMs the time of the upload, taken once per task
 */
export function resolveKey(template: string, wallMs: number): ResolvedKey {
  let problem: string | undefined
  const key = template.replace(PLACEHOLDER, (_all, namespace: string, pattern: string) => {
    if (namespace !== 'timestamp') {
      problem ??= `the namespace ${namespace} is not supported in a key`
      return ''
    }
    const time = formatTime(pattern, wallMs)
    if (time.ok) return time.text
    problem ??= `the pattern letters ${time.unsupported} are not supported in a key`
    return ''
  })
  if (problem !== undefined) return { ok: false, problem }
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return { ok: false, problem: 'the key is too long' }
  return { ok: true, key }
}
