import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { crc32 } from '../../base/crc32.ts'
import { KIB } from '../../base/limits.ts'
import type { Pace } from '../../export/task.ts'
import { drainMsOf, type RequestGuard } from './request-guard.ts'

const READ_BYTES = 256 * KIB

/** A range of a file. */
export interface FileRange {
  readonly offset: number
  readonly bytes: number
}

/** The file ended before the range did. */
export class FileTooShort extends Error {
  override readonly name = 'FileTooShort'
}

/** Checksums of a range. */
export interface RangeChecksum {
  readonly crc: number
  /** Of everything before the range and the range, when that before has `prefixCrc`. */
  readonly prefixCrc: number
}

/**
 * Reads a range and sums it up, with one small buffer however long it is.
 * @throws FileTooShort; what the system says when the file cannot be read; an abort
 */
export async function checksumOf(
  handle: FileHandle,
  range: FileRange,
  prefixCrc: number,
  signal: AbortSignal
): Promise<RangeChecksum> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, range.bytes))
  let crc = 0
  let whole = prefixCrc
  for (let done = 0; done < range.bytes;) {
    signal.throwIfAborted()
    const wanted = Math.min(buffer.length, range.bytes - done)
    const { bytesRead } = await handle.read(buffer, 0, wanted, range.offset + done)
    if (bytesRead === 0) throw new FileTooShort('the file has become shorter')
    const chunk = buffer.subarray(0, bytesRead)
    crc = crc32(chunk, crc)
    whole = crc32(chunk, whole)
    done += bytesRead
  }
  return { crc, prefixCrc: whole }
}

/** CRC-32 as S3 writes it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
export function crcText(crc: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc)
  return bytes.toString('base64')
}

/**
 * The bytes of a range as a stream, read as they are sent, so that memory stays flat. It fails with FileTooShort, or with
 * what the system says.
 * @param pace asked before each chunk of at most `chunkBytes`
 * @param guard hears of each chunk that is taken
 */
export function bodyOf(
  handle: FileHandle,
  range: FileRange,
  chunkBytes: number,
  pace: Pace,
  guard: RequestGuard
): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let done = 0; done < range.bytes;) {
      const wanted = Math.min(chunkBytes, range.bytes - done)
      await guard.exempt(() => pace(wanted, guard.signal))
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, range.offset + done)
      if (bytesRead === 0) throw new FileTooShort('the file has become shorter')
      yield buffer.subarray(0, bytesRead)
      guard.took(bytesRead)
      done += bytesRead
    }
    guard.sent(drainMsOf(range.bytes))
  }
  return Readable.from(chunks(), { objectMode: false, highWaterMark: chunkBytes })
}
