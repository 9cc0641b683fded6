import { KIB } from '../base/limits.ts'

/** A task that an application appended to a stream with an S3 export (protocol 12). */
export interface S3Task {
  readonly inputUrl: string
  readonly bucket: string
  /** With its placeholders. */
  readonly key: string
  /** Undefined when the application gave none. */
  readonly userMetadata: ReadonlyMap<string, string> | undefined
}

/** A task, or what is wrong with it and as much of it as could be read: absent texts are empty. */
export type ParsedTask =
  { readonly ok: true; readonly task: S3Task } | { readonly ok: false; readonly problem: string; readonly task: S3Task }

/** The texts of a task take a few KiB at most: key and bucket are bounded, and so are metadata on the wire. */
const TASK_BYTES_MAX = 256 * KIB
const KEY_CHARS_MAX = 1_024
const BUCKET_CHARS_MIN = 3
const BUCKET_CHARS_MAX = 63

const BUCKET_LABEL = /^[a-z0-9-]+$/
const ALL_DIGITS = /^\d+$/
const PLACEHOLDER = /!\{[a-zA-Z]+:[a-zA-Z/]+\}/g
const KEY_CHARS_REFUSED = /[\\{ }%`[\]"'><~#^?|]/

const EMPTY: S3Task = { inputUrl: '', bucket: '', key: '', userMetadata: undefined }

/** Reads the payload of a message as a task. Never throws; unknown fields are ignored, null counts as absent. */
export function parseS3Task(payload: Buffer): ParsedTask {
  if (payload.length > TASK_BYTES_MAX) return { ok: false, problem: 'the task is too long', task: EMPTY }
  let value: unknown
  try {
    value = JSON.parse(payload.toString())
  } catch {
    return { ok: false, problem: 'the task is not JSON', task: EMPTY }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, problem: 'the task is not a JSON object', task: EMPTY }
  }
  const fields = new Map<string, unknown>(Object.entries(value))
  const problems: string[] = []
  const readText = (name: string): string => {
    const field = fields.get(name)
    if (typeof field === 'string') return field
    problems.push(`${name} is missing or not text`)
    return ''
  }
  const [inputUrl, bucket, key] = [readText('inputUrl'), readText('bucket'), readText('key')]
  const userMetadata = readMetadata(fields.get('userMetadata'), problems)
  if (problems.length === 0 && !isBucketName(bucket)) problems.push('the bucket name is not valid')
  if (problems.length === 0 && !isKey(key)) problems.push('the key is not valid')
  const task = { inputUrl, bucket, key, userMetadata }
  const [problem] = problems
  return problem === undefined ? { ok: true, task } : { ok: false, problem, task }
}

function readMetadata(value: unknown, problems: string[]): ReadonlyMap<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push('userMetadata is not an object')
    return undefined
  }
  const entries = Object.entries(value)
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  if (texts.length < entries.length) problems.push('userMetadata has a value that is not text')
  return new Map(texts)
}

/** Labels of lower-case letters, digits and hyphens, which neither begin nor end with a hyphen; no IP address. */
function isBucketName(name: string): boolean {
  if (name.length < BUCKET_CHARS_MIN || name.length > BUCKET_CHARS_MAX) return false
  const labels = name.split('.')
  const isLabel = (label: string): boolean => BUCKET_LABEL.test(label) && !label.startsWith('-') && !label.endsWith('-')
  return labels.every(isLabel) && (labels.length === 1 || !labels.every((label) => ALL_DIGITS.test(label)))
}

function isKey(key: string): boolean {
  return key.length >= 1 && key.length <= KEY_CHARS_MAX && !KEY_CHARS_REFUSED.test(key.replace(PLACEHOLDER, ''))
}
