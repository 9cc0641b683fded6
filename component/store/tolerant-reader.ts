import { Fault } from '../base/fault.ts'
import type { DiskFile } from './disk.ts'
import { systemErrorCode } from './system-error.ts'

/** What a medium loses at once, at least. */
const BLOCK_BYTES = 4096

/** Reads around bad blocks, so that they cost only the records in them (reliability ST10). */
export interface TolerantReader {
  /**
   * Up to `length` bytes; blocks that cannot be read are zeros, which no record survives.
   * @param into memory of `length` bytes or more that may be used for them
   * @throws Fault when nothing at all could be read there: such a device is broken, not merely damaged
   */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>
  /** The last error that was read around. */
  readonly fault: Fault | undefined
}

export function createTolerantReader(file: DiskFile): TolerantReader {
  let fault: Fault | undefined

  const readBlockwise = async (position: number, length: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(length)
    let readable = 0
    for (let at = position; at < position + length;) {
      const count = Math.min(BLOCK_BYTES - (at % BLOCK_BYTES), position + length - at)
      try {
        const block = await file.readAsync(at, count)
        block.copy(bytes, at - position)
        readable++
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        fault = error
      }
      at += count
    }
    if (readable === 0 && fault !== undefined) throw fault
    return bytes
  }

  return {
    async read(position, length, into) {
      try {
        return await file.readAsync(position, length, into)
      } catch (error) {
        if (!(error instanceof Fault) || systemErrorCode(error) !== 'EIO' || length <= BLOCK_BYTES) throw error
        fault = error
        return readBlockwise(position, length)
      }
    },
    get fault() {
      return fault
    }
  }
}
