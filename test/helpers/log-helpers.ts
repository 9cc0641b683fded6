import { crc32 } from '../../component/base/crc32.ts'
import { createSyncLimiter, type LogOptions, type NewRecord, type StreamLog } from '../../component/store/index.ts'
import type { Disk } from '../../component/store/disk.ts'
import type { StoredMessage } from '../../component/model/message.ts'
import { createFakeClock } from './fake-clock.ts'
import { createRecordingLog, type RecordingLog } from './recording-log.ts'

export const STREAM_ID = 'a1b2c3d4e5f60718'

/** Options of a log under test; the logger keeps what it is told. */
export function logOptions(
  disk: Disk,
  folder: string,
  changes: Partial<LogOptions> = {}
): LogOptions & { readonly logger: RecordingLog } {
  const logger = createRecordingLog()
  return {
    disk,
    folder,
    streamId: STREAM_ID,
    metadata: Buffer.from('metadata'),
    rollBytes: 1024,
    clock: createFakeClock(),
    syncs: createSyncLimiter(6),
    ...changes,
    logger
  }
}

/** Records with these payloads. */
export function records(...payloads: readonly (string | Buffer)[]): NewRecord[] {
  return payloads.map((payload, index) => ({ payload: Buffer.from(payload), ingestTimeMs: 1_000 + index }))
}

/** Everything that can be read from `from` on, in reads of at most `countMax` records. */
export async function readAll(
  log: StreamLog,
  from = 0,
  countMax = 1_000,
  bytesMax = Infinity
): Promise<StoredMessage[]> {
  const all: StoredMessage[] = []
  for (let next = from; ;) {
    const messages = await log.read(next, log.next, countMax, bytesMax)
    const last = messages.at(-1)
    if (last === undefined) return all
    all.push(...messages)
    next = last.sequenceNumber + 1
  }
}

/** The texts of all readable records, in order, as `number:text`. */
export async function readTexts(log: StreamLog, from = 0, countMax?: number): Promise<string[]> {
  const messages = await readAll(log, from, countMax)
  return messages.map(({ sequenceNumber, payload }) => `${sequenceNumber}:${payload.toString()}`)
}

/** A segment as a newer version of the program would write it. */
export function asNewerFormat(segment: Buffer): Buffer {
  const bytes = Buffer.from(segment)
  bytes.writeUInt16LE(2, 8)
  const end = bytes.readUInt32LE(12)
  bytes.writeUInt32LE(crc32(bytes.subarray(20, end), crc32(bytes.subarray(0, 16))), 16)
  return bytes
}
