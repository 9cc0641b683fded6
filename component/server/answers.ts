import { assert } from '../base/assert.ts'

/** A request of one connection from its arrival until its answer leaves. */
export interface PendingAnswer {
  readonly requestId: string
  /** Monotonic time from which its deadline counts; absent while a read waits for messages, as long as its client asked. */
  readonly startedMs: number | undefined
}

interface Entry extends PendingAnswer {
  startedMs: number | undefined
  frame: Buffer | undefined
  sent: (() => void) | undefined
  /** The request that came before with the same id and is still open. */
  previous: Entry | undefined
  next: Entry | undefined
}

/**
 * The open requests of one connection. Answers leave as they come, but those to equal request ids leave in the order of
 * their requests: a JavaScript client uses one id for everything (behaviour 3.9 Q2).
 */
export interface Answers {
  open(requestId: string, startedMs: number | undefined): PendingAnswer
  /** The deadline counts from `startedMs` on; without it there is none. */
  setDeadline(pending: PendingAnswer, startedMs: number | undefined): void
  /** Gives the answer, once per request; `sent` is called when it has left, or the connection is gone. */
  answer(pending: PendingAnswer, frame: Buffer, sent?: () => void): void
  readonly openCount: number
  /** The time from which the first deadline of all open requests counts. */
  oldestWithDeadlineMs(): number | undefined
}

/** `send` receives each frame when it may leave. */
export function createAnswers(send: (frame: Buffer, sent: (() => void) | undefined) => void): Answers {
  const open = new Set<Entry>()
  const latestById = new Map<string, Entry>()

  const release = (first: Entry): void => {
    for (let entry: Entry | undefined = first; entry?.frame !== undefined; entry = entry.next) {
      open.delete(entry)
      if (latestById.get(entry.requestId) === entry) latestById.delete(entry.requestId)
      if (entry.next !== undefined) entry.next.previous = undefined
      send(entry.frame, entry.sent)
    }
  }

  return {
    open(requestId, startedMs) {
      const previous = latestById.get(requestId)
      const entry: Entry = { requestId, startedMs, frame: undefined, sent: undefined, previous, next: undefined }
      if (previous !== undefined) previous.next = entry
      latestById.set(requestId, entry)
      open.add(entry)
      return entry
    },
    setDeadline(pending, startedMs) {
      const entry = pending as Entry
      entry.startedMs = startedMs
    },
    answer(pending, frame, sent) {
      const entry = pending as Entry
      assert(entry.frame === undefined, 'a request is answered once')
      entry.frame = frame
      entry.sent = sent
      if (entry.previous === undefined) release(entry)
    },
    get openCount() {
      return open.size
    },
    oldestWithDeadlineMs() {
      let oldestMs = Infinity
      for (const { startedMs } of open) oldestMs = Math.min(oldestMs, startedMs ?? Infinity)
      return oldestMs === Infinity ? undefined : oldestMs
    }
  }
}
