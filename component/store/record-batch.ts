import { crc32 } from '../base/crc32.ts'
import { KIB, MIB } from '../base/limits.ts'
import { nextTurn } from '../base/turn.ts'
import type { DiskFile } from './disk.ts'
import { RECORD_HEADER_BYTES, writeChecksum, writeRecord, writeRecordHeader } from './record.ts'
import type { NewRecord } from './stream-log.ts'

/** Batches up to this size are written at once, in well under a millisecond; larger ones in steps of it. */
export const STEP_BYTES = MIB
/** A smaller payload is copied beside its header: cheaper than another buffer in the write. */
const COPIED_PAYLOAD_BYTES_MAX = 16 * KIB

/** Bytes of the records with their headers. */
export function batchBytes(records: readonly NewRecord[]): number {
  let bytes = records.length * RECORD_HEADER_BYTES
  for (const { payload } of records) bytes += payload.length
  return bytes
}

/** Used within one synchronous call only, so that all logs can share it. */
let sharedScratch: Buffer | undefined

/** The records as buffers to write, the first numbered `sequence`. Copied parts lie in `scratch`, which must hold them. */
function encodeBatch(records: readonly NewRecord[], sequence: number, seed: number, scratch: Buffer): Uint8Array[] {
  const buffers: Uint8Array[] = []
  let start = 0
  let end = 0
  let number = sequence
  for (const { payload, ingestTimeMs } of records) {
    if (payload.length <= COPIED_PAYLOAD_BYTES_MAX) {
      end = writeRecord(scratch, end, payload, number, ingestTimeMs, seed)
    } else {
      const checksum = writeRecordHeader(scratch, end, payload.length, number, ingestTimeMs, seed)
      writeChecksum(scratch, end, crc32(payload, checksum))
      end += RECORD_HEADER_BYTES
      buffers.push(scratch.subarray(start, end), payload)
      start = end
    }
    number++
  }
  if (end > start) buffers.push(scratch.subarray(start, end))
  return buffers
}

/**
 * Writes records of at most STEP_BYTES together.
 * @param sequence number of the first
 * @throws Fault; the file is then undefined from `position` on
 */
export function writeBatch(
  file: DiskFile,
  position: number,
  records: readonly NewRecord[],
  sequence: number,
  seed: number
): void {
  sharedScratch ??= Buffer.allocUnsafeSlow(STEP_BYTES)
  file.write(encodeBatch(records, sequence, seed, sharedScratch), position)
}

/** One record whose payload is larger than a step: its checksum is computed in steps. */
async function writeLargeRecord(
  file: DiskFile,
  position: number,
  record: NewRecord,
  sequence: number,
  seed: number
): Promise<void> {
  const { payload, ingestTimeMs } = record
  const header = Buffer.alloc(RECORD_HEADER_BYTES)
  let checksum = writeRecordHeader(header, 0, payload.length, sequence, ingestTimeMs, seed)
  for (let at = 0; at < payload.length; at += STEP_BYTES) {
    checksum = crc32(payload.subarray(at, at + STEP_BYTES), checksum)
    await nextTurn()
  }
  writeChecksum(header, 0, checksum)
  await file.writeAsync([header, payload], position)
}

/** Like `writeBatch` for batches of any size; the event loop is never held for longer than one step takes. */
export async function writeBatchInSteps(
  file: DiskFile,
  position: number,
  records: readonly NewRecord[],
  sequence: number,
  seed: number
): Promise<void> {
  let at = position
  let first = 0
  while (first < records.length) {
    let end = first
    let bytes = 0
    for (let record = records[end]; record !== undefined; record = records[++end]) {
      const more = RECORD_HEADER_BYTES + record.payload.length
      if (end > first && bytes + more > STEP_BYTES) break
      bytes += more
    }
    const step = records.slice(first, end)
    const only = step.length === 1 ? step[0] : undefined
    if (only !== undefined && bytes > STEP_BYTES) {
      await writeLargeRecord(file, at, only, sequence + first, seed)
    } else {
      const copied = step.reduce((sum, { payload }) => sum + RECORD_HEADER_BYTES + copiedBytes(payload), 0)
      await file.writeAsync(encodeBatch(step, sequence + first, seed, Buffer.allocUnsafe(copied)), at)
    }
    at += bytes
    first = end
  }
}

function copiedBytes(payload: Buffer): number {
  return payload.length <= COPIED_PAYLOAD_BYTES_MAX ? payload.length : 0
}
