import type { ArrayBufferPool } from '../base/buffer-pool.ts'
import { nextSlice } from '../base/turn.ts'
import type { MessageBatch } from './message-batch.ts'
import type { ExportSource } from './source.ts'

/** Reads of one export's stream, of which the next may be made before it is wanted. */
export interface ReadAhead {
  /**
   * Like the source's `readBatch`; takes what was read ahead when that is the same. The batch is to be released.
   * @throws Fault when the disk cannot be read
   */
  read(from: number, countMax: number, bytesMax: number): Promise<MessageBatch>
  /** Begins to read what `read` with the same arguments is about to be asked for. Forgets what was read ahead before. */
  prepare(from: number, countMax: number, bytesMax: number): void
  /** Forgets what was read ahead. */
  drop(): void
}

/** Makes the reads of all exports. */
export interface ReadAheads {
  of(source: ExportSource): ReadAhead
}

/** A read that was made before it was wanted. */
interface Ahead {
  readonly from: number
  readonly countMax: number
  readonly bytesMax: number
  /** Undefined when it was forgotten or the disk could not be read: that is then tried again, and may complain. */
  readonly batch: Promise<MessageBatch | undefined>
  isForgotten: boolean
}

/**
 * While a request is in flight, the messages of the next one are read, so that its destination need not wait for the disk.
 * Nothing is read ahead of a position that it does not reach, and what a changed position no longer asks for is forgotten.
 * @param aheadMax reads that all exports together may hold; the oldest is forgotten for a new one
 */
export function createReadAheads(aheadMax: number, pool: ArrayBufferPool): ReadAheads {
  /** Oldest first. */
  const held = new Map<ReadAhead, Ahead>()

  const forget = (owner: ReadAhead): void => {
    const ahead = held.get(owner)
    if (ahead === undefined) return
    ahead.isForgotten = true
    void ahead.batch.then((batch) => batch?.release())
    held.delete(owner)
  }

  const hold = (owner: ReadAhead, ahead: Ahead): void => {
    held.set(owner, ahead)
    const [oldest] = held.keys()
    if (held.size > aheadMax && oldest !== undefined) forget(oldest)
  }

  return {
    of(source) {
      const owner: ReadAhead = {
        async read(from, countMax, bytesMax) {
          const ahead = held.get(owner)
          if (ahead?.from === from && ahead.countMax === countMax && ahead.bytesMax === bytesMax) {
            held.delete(owner)
            const batch = await ahead.batch
            // Nothing at that time says nothing about what has become durable since.
            if (batch !== undefined && batch.count > 0) return batch
            batch?.release()
          } else forget(owner)
          return source.readBatch(from, countMax, bytesMax, pool)
        },
        prepare(from, countMax, bytesMax) {
          forget(owner)
          // Clients have a turn between the batch that was just handed over and this read.
          const batch = nextSlice()
            .then(() => (ahead.isForgotten ? undefined : source.readBatch(from, countMax, bytesMax, pool)))
            .catch(() => undefined)
          const ahead: Ahead = { from, countMax, bytesMax, batch, isForgotten: false }
          hold(owner, ahead)
        },
        drop: () => forget(owner)
      }
      return owner
    }
  }
}
