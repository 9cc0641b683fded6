import { checksumOf, crcText, type FileRange } from './body.ts'
import type { InputFile } from './input-file.ts'
import { InvalidResponse, type ObjectName, type Requests, type StoredPart } from './requests.ts'
import type { MultipartState } from './task-state.ts'

/** An upload whose parts at the service are not those that were sent: it has to begin anew. */
export class UploadMismatch extends Error {
  override readonly name = 'UploadMismatch'
}

/** Parts of an upload. @param fileBytes 1 or more */
export function partCountOf(fileBytes: number, { partBytes }: MultipartState): number {
  return Math.ceil(fileBytes / partBytes)
}

/** Where a part lies in its file. @param number 1 for the first one */
export function rangeOfPart(fileBytes: number, { partBytes }: MultipartState, number: number): FileRange {
  const offset = (number - 1) * partBytes
  return { offset, bytes: Math.min(partBytes, fileBytes - offset) }
}

/** Sends the next part. @returns the upload with it */
export async function sendNextPart(
  requests: Requests,
  object: ObjectName,
  file: InputFile,
  fileBytes: number,
  upload: MultipartState,
  signal: AbortSignal
): Promise<MultipartState> {
  const number = upload.partsDone + 1
  const range = rangeOfPart(fileBytes, upload, number)
  const { crc, prefixCrc } = await checksumOf(file.handle, range, upload.crc, signal)
  await requests.putPart(object, upload.id, number, { handle: file.handle, range, crc }, signal)
  return { ...upload, partsDone: number, crc: prefixCrc }
}

/**
 * Takes over parts that reached the service before a crash and were not noted any more: those that hold what the file
 * holds (behaviour 10.4).
 */
export async function adoptParts(
  requests: Requests,
  object: ObjectName,
  file: InputFile,
  fileBytes: number,
  upload: MultipartState,
  signal: AbortSignal
): Promise<MultipartState> {
  const { parts } = await requests.listParts(object, upload.id, upload.partsDone, signal)
  let adopted = upload
  for (const part of parts) {
    const number = adopted.partsDone + 1
    if (part.number !== number || number > partCountOf(fileBytes, upload)) break
    const range = rangeOfPart(fileBytes, upload, number)
    const { crc, prefixCrc } = await checksumOf(file.handle, range, adopted.crc, signal)
    if (part.bytes !== range.bytes || part.crc !== crcText(crc)) break
    adopted = { ...adopted, partsDone: number, crc: prefixCrc }
  }
  return adopted
}

/**
 * Puts the parts together.
 * @throws UploadMismatch when the service does not hold exactly the parts that were sent
 */
export async function completeUpload(
  requests: Requests,
  object: ObjectName,
  fileBytes: number,
  upload: MultipartState,
  signal: AbortSignal
): Promise<void> {
  const parts = await allParts(requests, object, upload, signal)
  const count = partCountOf(fileBytes, upload)
  const isWhole = parts.length === count && parts.every((part, index) => fits(part, index + 1, fileBytes, upload))
  if (!isWhole) throw new UploadMismatch('the service holds other parts than were sent')
  await requests.complete(object, upload.id, parts, signal)
}

function fits(part: StoredPart, number: number, fileBytes: number, upload: MultipartState): boolean {
  return part.number === number && part.bytes === rangeOfPart(fileBytes, upload, number).bytes
}

async function allParts(
  requests: Requests,
  object: ObjectName,
  upload: MultipartState,
  signal: AbortSignal
): Promise<readonly StoredPart[]> {
  const all: StoredPart[] = []
  for (let after = 0; ;) {
    const { parts, isLast } = await requests.listParts(object, upload.id, after, signal)
    all.push(...parts)
    if (isLast) return all
    const last = parts.at(-1)?.number ?? 0
    if (last <= after) throw new InvalidResponse('the list of parts does not go on')
    after = last
  }
}
