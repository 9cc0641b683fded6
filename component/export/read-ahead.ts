import type { StoredMessage } from '../model/message.ts'
import type { ExportSource } from './source.ts'

/** Reads of one export's stream, of which the next may be made before it is wanted. */
export interface ReadAhead {
  /**
   * Like the source's `read`; takes what was read ahead when that is the same.
   * @throws Fault when the disk cannot be read
   */
  read(from: number, countMax: number, bytesMax: number): Promise<readonly StoredMessage[]>
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
  /** Undefined when the disk could not be read: it is then tried again, and may complain. */
  readonly messages: Promise<readonly StoredMessage[] | undefined>
}

/**
 * While a request is in flight, the messages of the next one are read, so that its destination need not wait for the disk.
 * Nothing is read ahead of a position that it does not reach, and what a changed position no longer asks for is forgotten.
 * @param aheadMax reads that all exports together may hold; the oldest is forgotten for a new one
 */
export function createReadAheads(aheadMax: number): ReadAheads {
  /** Oldest first. */
  const held = new Map<ReadAhead, Ahead>()

  const hold = (owner: ReadAhead, ahead: Ahead): void => {
    held.set(owner, ahead)
    const [oldest] = held.keys()
    if (held.size > aheadMax && oldest !== undefined) held.delete(oldest)
  }

  return {
    of(source) {
      const owner: ReadAhead = {
        async read(from, countMax, bytesMax) {
          const ahead = held.get(owner)
          held.delete(owner)
          if (ahead?.from === from && ahead.countMax === countMax && ahead.bytesMax === bytesMax) {
            const messages = await ahead.messages
            // Nothing at that time says nothing about what has become durable since.
            if (messages !== undefined && messages.length > 0) return messages
          }
          return source.read(from, countMax, bytesMax)
        },
        prepare(from, countMax, bytesMax) {
          held.delete(owner)
          const messages = source.read(from, countMax, bytesMax).catch(() => undefined)
          hold(owner, { from, countMax, bytesMax, messages })
        },
        drop: () => void held.delete(owner)
      }
      return owner
    }
  }
}
