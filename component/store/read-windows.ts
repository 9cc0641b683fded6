import { KIB } from '../base/limits.ts'
import type { Segment } from './segment.ts'

/** What is read at a time for a reader that takes few messages after few. */
export const READ_WINDOW_BYTES = 128 * KIB
/** Windows of all logs together: readers that go on beyond this number read from the disk each time. */
export const READ_WINDOWS_MAX = 16

/** Bytes of a segment's file. */
export interface ReadWindow {
  /** Offset of the first one. */
  readonly start: number
  readonly bytes: Buffer
}

interface KeptWindow extends ReadWindow {
  readonly segment: Segment
  /** See Segment: a file that was cut since may have other bytes there. */
  readonly cuts: number
}

/**
 * What was read last for small reads, so that the next ones need no detour through the thread pool. Records never change
 * once they can be read, so a window is good until it is forgotten; the one that was used longest ago is forgotten first.
 */
export class ReadWindows {
  /** The one used last comes first. */
  readonly #kept: KeptWindow[] = []

  /** The window of this segment with the byte at `offset` in it. */
  find(segment: Segment, offset: number): ReadWindow | undefined {
    const index = this.#kept.findIndex(
      (window) =>
        window.segment === segment &&
        window.cuts === segment.cuts &&
        window.start <= offset &&
        offset < window.start + window.bytes.length
    )
    const [found] = index === -1 ? [] : this.#kept.splice(index, 1)
    if (found !== undefined) this.#kept.unshift(found)
    return found
  }

  /** Remembers a window; `bytes` must not change any more. */
  keep(segment: Segment, { start, bytes }: ReadWindow): void {
    this.#kept.unshift({ segment, cuts: segment.cuts, start, bytes })
    if (this.#kept.length > READ_WINDOWS_MAX) this.#kept.pop()
  }

  /** Lets go of what belongs to this segment. */
  forget(segment: Segment): void {
    for (let index = this.#kept.length - 1; index >= 0; index -= 1)
      if (this.#kept[index]?.segment === segment) this.#kept.splice(index, 1)
  }
}
