import type { FileIdentity } from './input-file.ts'

/** An upload in parts that has been begun. */
export interface MultipartState {
  readonly id: string
  readonly partBytes: number
  /** Parts that the service has taken: numbers 1 to this one. */
  readonly partsDone: number
  /** CRC-32 of all their bytes together. */
  readonly crc: number
}

/** What is remembered of a task between its steps. */
export interface TaskState {
  readonly bucket: string
  /** With its placeholders replaced: retries and resumed uploads keep it (behaviour 10.3). */
  readonly key: string
  /** The file as it was when the upload began. */
  readonly file: FileIdentity
  /** How often the upload began anew because the file or the upload was not what it had been. */
  readonly restarts: number
  /** Region of the bucket, when it is another one than the device's. */
  readonly region?: string
  readonly upload?: MultipartState
}

export function encodeTaskState(state: TaskState): string {
  return JSON.stringify(state)
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** @returns undefined for a text that this version has not written: the task begins anew */
export function decodeTaskState(text: string): TaskState | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { bucket, key, file, restarts, region, upload } = fieldsOf(value)
  const identity = decodeIdentity(fieldsOf(file))
  const multipart = upload === undefined ? undefined : decodeMultipart(fieldsOf(upload))
  if (!isText(bucket) || !isText(key) || !isCount(restarts) || identity === undefined) return undefined
  if (upload !== undefined && multipart === undefined) return undefined
  return {
    bucket,
    key,
    file: identity,
    restarts,
    ...(isText(region) ? { region } : {}),
    ...(multipart === undefined ? {} : { upload: multipart })
  }
}

function decodeIdentity({ inode, bytes, modifiedNs }: Fields): FileIdentity | undefined {
  if (!isText(inode) || !isCount(bytes) || !isText(modifiedNs)) return undefined
  return { inode, bytes, modifiedNs }
}

function decodeMultipart({ id, partBytes, partsDone, crc }: Fields): MultipartState | undefined {
  if (!isText(id) || !isCount(partBytes) || partBytes === 0 || !isCount(partsDone) || !isCount(crc)) return undefined
  return { id, partBytes, partsDone, crc }
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
