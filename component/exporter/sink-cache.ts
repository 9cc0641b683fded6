import type { Clock, Timer } from '../base/clock.ts'
import type { Sink } from '../export/sink.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import type { SinkFactory } from '../sinks/index.ts'

/** Sinks kept; the longest unused one goes first. */
const SINKS_MAX = 1_000
/** An unused sink is closed after this time. */
const UNUSED_MS = 10 * 60_000

/**
 * The sinks of the exports that were active lately: one per stream and definition, so that a sink's memory of its
 * destination (pauses, sizes) belongs to one export, and a changed definition starts with a fresh one.
 */
export interface SinkCache {
  /** Undefined for a kind that this version cannot export. */
  get(streamName: string, definition: ExportDefinition): Sink | undefined
}

export function createSinkCache(clock: Clock, create: SinkFactory, sinksMax = SINKS_MAX): SinkCache {
  /** Least recently used first. A closed sink may still finish a request: closing only gives idle connections back. */
  const kept = new Map<string, { readonly sink: Sink; readonly usedMs: number }>()
  let timer: Timer | undefined

  const drop = (key: string, sink: Sink): void => {
    kept.delete(key)
    sink.close()
  }

  const sweep = (): void => {
    timer = undefined
    for (const [key, { sink, usedMs }] of kept) {
      const ageMs = clock.monotonicMs() - usedMs
      if (ageMs < UNUSED_MS) {
        timer = clock.after(UNUSED_MS - ageMs, sweep)
        return
      }
      drop(key, sink)
    }
  }

  return {
    get(streamName, definition) {
      const key = keyOf(streamName, definition)
      const sink = kept.get(key)?.sink ?? create(definition)
      if (sink === undefined) return undefined
      kept.delete(key)
      kept.set(key, { sink, usedMs: clock.monotonicMs() })
      const [oldest] = kept
      if (kept.size > sinksMax && oldest !== undefined) drop(oldest[0], oldest[1].sink)
      timer ??= clock.after(UNUSED_MS, sweep)
      return sink
    }
  }
}

function keyOf(streamName: string, definition: ExportDefinition): string {
  return JSON.stringify([streamName, definition], (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value
  )
}
