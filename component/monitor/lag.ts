import type { StreamLog } from '../store/stream-log.ts'

/**
 * Record bytes at or behind a position, estimated: segments that it lies in count by their share of numbers. Takes time
 * for the segments that wait, not for all.
 */
export function bytesFrom(log: StreamLog, position: number): number {
  const { sealed, next, activeBytes } = log
  const activeBase = sealed.at(-1)?.next ?? log.oldest
  let bytes = shareFrom(position, activeBase, next, activeBytes)
  for (let index = sealed.length - 1; index >= 0; index -= 1) {
    const segment = sealed[index]
    if (segment === undefined || segment.next <= position) break
    bytes += shareFrom(position, segment.base, segment.next, segment.bytes)
  }
  return Math.round(bytes)
}

function shareFrom(position: number, base: number, next: number, bytes: number): number {
  if (next <= base || position >= next) return 0
  return position <= base ? bytes : (bytes * (next - position)) / (next - base)
}

/** Ages of the oldest waiting messages. Each is read once, however often it is asked for. */
export interface Ages {
  /**
   * Wall clock at which the first message at or behind a position was appended; undefined when there is none, or it
   * cannot be read.
   */
  ingestTimeMs(key: string, log: StreamLog, position: number): Promise<number | undefined>
  /** Forgets all keys but these. */
  keep(keys: ReadonlySet<string>): void
}

export function createAges(): Ages {
  const known = new Map<string, { readonly position: number; readonly ingestTimeMs: number }>()
  return {
    async ingestTimeMs(key, log, position) {
      const remembered = known.get(key)
      if (remembered?.position === position) return remembered.ingestTimeMs
      try {
        const [first] = await log.read(position, log.next, 1, 1)
        if (first === undefined) return undefined
        known.set(key, { position, ingestTimeMs: first.ingestTimeMs })
        return first.ingestTimeMs
      } catch {
        // The log of the stream says why it cannot be read, or it was just deleted.
        return undefined
      }
    },
    keep(keys) {
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key)
    }
  }
}
