import { KIB, MIB } from '../base/limits.ts'
import type { StreamLog } from '../store/index.ts'

const READ_MEMORY_BYTES_MAX = 4 * MIB

/** Bytes of a stored message with its header, on average. */
export function averageBytes(log: StreamLog): number {
  return log.totalBytes / Math.max(1, log.next - log.oldest)
}

/**
 * Memory for the next `count` messages, if they are of average size, with their headers and some more; bytes.
 * @param bytesMax bound on it
 */
export function memoryBytes(
  log: StreamLog,
  count: number,
  payloadBytesMax = Infinity,
  bytesMax = READ_MEMORY_BYTES_MAX
): number {
  const average = averageBytes(log)
  const expected = Math.min((count + 1) * average, payloadBytesMax + average) * 1.25
  return Math.min(bytesMax, Math.ceil(expected) + 4 * KIB)
}
