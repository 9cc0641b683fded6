import { KIB } from './limits.ts'

/** Chunks in a row after which one source counts as the only one that talks. */
const ALONE_AFTER_CHUNKS = 32
/** A chunk of this size has filled the buffer of a read: more of the same source is at hand. */
const FULL_CHUNK_BYTES = 64 * KIB

/**
 * Puts work off until the input that is at hand has been taken in, so that what arrives together shares it. Usually that
 * is when the event loop has visited all sockets. While a single source talks it is the end of its chunk: waiting for the
 * others, which say nothing, would be a tenth of the latency of a client that waits for each answer.
 */
export interface InputTurns {
  /** Runs `action` once, at the end of the turn. */
  defer(action: () => void): void
  /** A chunk of `bytes` bytes of this source begins to be taken in. */
  begin(source: object, bytes: number): void
  /** All of it has been taken in. */
  end(): void
}

/** @param later runs an action after the sockets that are readable now */
export function createInputTurns(later: (action: () => void) => void = setImmediate): InputTurns {
  let talker: object | undefined
  let chunksInARow = 0
  let endsWithChunk = false
  let actions: (() => void)[] = []

  return {
    defer(action) {
      if (endsWithChunk) actions.push(action)
      else later(action)
    },
    begin(source, bytes) {
      chunksInARow = source === talker ? chunksInARow + 1 : 1
      talker = source
      endsWithChunk = chunksInARow > ALONE_AFTER_CHUNKS && bytes < FULL_CHUNK_BYTES
    },
    end() {
      endsWithChunk = false
      if (actions.length === 0) return
      const due = actions
      actions = []
      for (const action of due) action()
    }
  }
}
