import type { Surroundings } from './command.ts'

const EVERY_MS = 250

/** A line on the terminal that is written over and over; nothing where there is no terminal. */
export interface Progress {
  update(text: () => string): void
  /** Removes the line. */
  end(): void
}

export function createProgress({ clock, writeError, showsProgress }: Surroundings): Progress {
  let shownMs = clock.monotonicMs()
  let isShown = false
  return {
    update(text) {
      if (!showsProgress || clock.monotonicMs() - shownMs < EVERY_MS) return
      shownMs = clock.monotonicMs()
      isShown = true
      writeError(`\r\x1b[K${text()}`)
    },
    end() {
      if (isShown) writeError('\r\x1b[K')
      isShown = false
    }
  }
}
