import type { SegmentSummary, StreamLog } from '../../component/store/stream-log.ts'

/** A log without files that says what it was asked, and does what the test wants. */
export interface ScriptedLog extends StreamLog {
  /** What was called: `append a,b`, `roll`, `drop 0`, `sync`, `remove below 3`. */
  readonly calls: string[]
  /** Called by `append` before anything is stored; may throw, or take time. */
  onAppend: () => Promise<void> | undefined
  /** Called by `roll` in the same way. */
  onRoll: () => Promise<void> | undefined
  /** What `sync` returns; what was written when it began is durable when it resolves. */
  onSync: () => Promise<void>
  /** Sealed segments that `removeDropped` has not been asked to remove. */
  readonly dropped: readonly SegmentSummary[]
}

export const SCRIPTED_HEADER_BYTES = 24

export function createScriptedLog(first: Partial<SegmentSummary> = {}): ScriptedLog {
  const calls: string[] = []
  let sealed: SegmentSummary[] = []
  let dropped: SegmentSummary[] = []
  let active: SegmentSummary = { base: 0, next: 0, bytes: 0, lastIngestMs: 0, ...first }
  let durable = active.next
  const oldest = (): number => sealed[0]?.base ?? (active.bytes === 0 ? active.next : active.base)

  const startSegment = (): void => {
    sealed.push(active)
    active = { base: active.next, next: active.next, bytes: 0, lastIngestMs: 0 }
  }

  const log: ScriptedLog = {
    calls,
    onAppend: () => undefined,
    onRoll: () => undefined,
    onSync: () => Promise.resolve(),
    get dropped() {
      return dropped
    },
    get oldest() {
      return oldest()
    },
    get next() {
      return active.next
    },
    get durableNext() {
      return Math.max(oldest(), durable)
    },
    get totalBytes() {
      return sealed.reduce((sum, { bytes }) => sum + bytes, active.bytes)
    },
    get activeBytes() {
      return active.bytes
    },
    get activeLastIngestMs() {
      return active.lastIngestMs
    },
    get sealed() {
      return sealed
    },
    get state() {
      const point = { segmentBase: active.base, offset: active.bytes, next: durable, lastIngestMs: active.lastIngestMs }
      return { oldest: oldest(), next: active.next, durable: point }
    },
    get needsSync() {
      return durable < active.next
    },
    get hasDropped() {
      return dropped.length > 0
    },
    recordBytes: (payloadBytes) => payloadBytes + SCRIPTED_HEADER_BYTES,
    append(records) {
      calls.push(`append ${records.map(({ payload }) => payload.toString().slice(0, 8)).join(',')}`)
      const store = (): void => {
        const bytes = records.reduce((sum, { payload }) => sum + log.recordBytes(payload.length), 0)
        const lastIngestMs = Math.max(active.lastIngestMs, ...records.map(({ ingestTimeMs }) => ingestTimeMs))
        active = { ...active, next: active.next + records.length, bytes: active.bytes + bytes, lastIngestMs }
      }
      const wait = log.onAppend()
      if (wait !== undefined) return wait.then(store)
      store()
      return undefined
    },
    roll() {
      calls.push('roll')
      if (active.bytes === 0) return undefined
      const wait = log.onRoll()
      if (wait !== undefined) return wait.then(startSegment)
      startSegment()
      return undefined
    },
    async sync() {
      calls.push('sync')
      const end = active.next
      await log.onSync()
      durable = Math.max(durable, end)
    },
    dropOldestSegment() {
      const [summary, ...rest] = sealed
      if (summary === undefined) return undefined
      calls.push(`drop ${summary.base}`)
      sealed = rest
      dropped.push(summary)
      return summary
    },
    removeDropped(below) {
      calls.push(`remove below ${below}`)
      dropped = dropped.filter(({ next }) => next > below)
    },
    readInto: () => Promise.reject(new Error('a scripted log has no messages')),
    read: () => Promise.resolve([]),
    setRollBytes: () => undefined,
    setMetadata: () => undefined,
    close: () => void calls.push('close')
  }
  return log
}
