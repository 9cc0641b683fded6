import type { Timer } from '../../base/clock.ts'
import { describeError, Fault } from '../../base/fault.ts'
import { withDeadline } from './deadline.ts'
import { digestChange } from './decode-database.ts'
import type { EntryTable } from './entry-table.ts'
import type { RecordChange } from './environment.ts'
import {
  abandonGeneration,
  buildGeneration,
  closeGeneration,
  removeOlderGenerations,
  type CatalogueContext,
  type Generation
} from './generation.ts'
import { COMMIT_DEADLINE_MS, RETRY_INTERVAL_MS } from './limits.ts'
import { encodeRecord } from './record-codec.ts'
import { recordBytes } from './space.ts'
import { createSpaceKeeper, type SpaceKeeper } from './space-keeper.ts'

/**
 * Carries the table into the database. One transaction is in flight; everything that changes meanwhile goes into the
 * next one, so that a slow sync is shared (reliability 3.2.6).
 *
 *     working ──commit fails or is late──▶ building the next generation ──▶ working
 *                                               │ fails            ▲
 *                                               ▼                  │ RETRY_INTERVAL_MS
 *                                             failed ──────────────┘
 *
 * Invariant: in `working`, the database and `dirty` together make the table.
 */
export interface GroupCommit {
  /** Why commits are being rejected; undefined while they work. */
  readonly fault: Fault | undefined
  /** Room for another stream's records. */
  readonly hasRoomForStreams: boolean
  /** The table is about to change at this key. */
  touch(key: string): void
  /** Resolves when everything touched before the call is durable. @throws Fault when it could not be made so */
  flush(): Promise<void>
  close(): Promise<void>
}

interface Waiter {
  resolve(): void
  reject(fault: Fault): void
}

export interface GroupCommitOptions {
  readonly context: CatalogueContext
  readonly table: EntryTable
  /** The open database, or why there is none yet. */
  readonly generation: Generation | Fault
  /** Highest number of a generation so far. */
  readonly lastNumber: number
  /** Called after keys have become durable. */
  readonly onDurable: (keys: Iterable<string>) => void
}

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { context, table, onDurable } = options
  const { clock, log } = context
  let generation: Generation | undefined
  let space: SpaceKeeper | undefined
  let lastNumber = options.lastNumber
  let fault: Fault | undefined
  /** Keys that differ from the database, with the bytes that the database holds for them. */
  let dirty = new Map<string, number>()
  let waiting: Waiter[] = []
  let running: Promise<void> | undefined
  let retry: Timer | undefined
  let isClosed = false

  const bytesInTable = (key: string): number => {
    const value = table.entries.get(key)
    return value === undefined ? 0 : recordBytes(key, value)
  }

  const use = (next: Generation): void => {
    generation = next
    space = createSpaceKeeper(context, next)
    fault = undefined
  }

  const changesOf = (keys: Iterable<string>): RecordChange[] => {
    const changes: RecordChange[] = []
    for (const key of keys) {
      const value = table.entries.get(key)
      changes.push({ key, record: value === undefined ? undefined : encodeRecord(key, value) })
    }
    changes.push(digestChange(table.digest))
    return changes
  }

  /** Writes the whole table into the next generation. */
  const rebuild = async (): Promise<void> => {
    dirty = new Map()
    const keys = [...table.entries.keys()]
    lastNumber += 1
    use(await buildGeneration(context, lastNumber, table))
    await removeOlderGenerations(context, lastNumber)
    log.info('A new catalogue is in use', { generation: lastNumber, entries: keys.length })
    onDurable(keys)
  }

  /** Commits to a database that is known to work so far. */
  const commitTo = async (current: Generation, room: SpaceKeeper): Promise<void> => {
    await room.extend()
    room.assertRoom(dirty, bytesInTable)
    const taken = dirty
    dirty = new Map()
    try {
      if (current.file.isUnlinked()) throw new Fault('the file of the catalogue was removed')
      const commit = current.environment.commit(changesOf(taken.keys()))
      await withDeadline(clock, COMMIT_DEADLINE_MS, 'a commit of the catalogue', commit)
      room.refresh()
    } catch (error) {
      log.error('A commit of the catalogue failed; a new catalogue is written', { error: describeError(error) })
      generation = undefined
      abandonGeneration(context, current)
      return rebuild()
    }
    onDurable(taken.keys())
  }

  /** Makes everything dirty durable, in this generation or in the next one. */
  const store = async (): Promise<void> => {
    if (generation === undefined || space === undefined) return rebuild()
    if (dirty.size > 0) await commitTo(generation, space)
  }

  const run = async (): Promise<void> => {
    do {
      const served = waiting
      waiting = []
      try {
        await store()
        for (const waiter of served) waiter.resolve()
      } catch (error) {
        const reason = error instanceof Fault ? error : new Fault(describeError(error), error)
        for (const waiter of served) waiter.reject(reason)
        if (generation === undefined) fail(reason)
      }
    } while (waiting.length > 0)
    // Before this function's promise settles: who is resolved above may ask for the next commit at once.
    running = undefined
  }

  const start = (): void => {
    running ??= run()
  }

  /** Nothing works: everybody who waits hears of it, and it is tried again later. */
  const fail = (reason: Fault): void => {
    if (fault === undefined) log.error('The catalogue takes no changes', { error: reason.message })
    fault = reason
    for (const waiter of waiting) waiter.reject(reason)
    waiting = []
    if (!isClosed) retry = clock.after(RETRY_INTERVAL_MS, start)
  }

  const finish = async (): Promise<void> => {
    await running
    if (generation === undefined) return
    try {
      await store()
    } finally {
      await closeGeneration(context, generation)
    }
  }

  if (options.generation instanceof Fault) fail(options.generation)
  else use(options.generation)

  return {
    get fault() {
      return fault
    },
    get hasRoomForStreams() {
      return space?.hasRoomForStreams ?? true
    },
    touch(key) {
      // Without a database the next one gets the whole table.
      if (generation === undefined && running === undefined) return
      if (!dirty.has(key)) dirty.set(key, bytesInTable(key))
    },
    flush() {
      if (isClosed) return Promise.reject(new Fault('the catalogue is closed'))
      if (fault !== undefined && running === undefined) return Promise.reject(fault)
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        start()
      })
    },
    async close() {
      if (isClosed) return
      isClosed = true
      retry?.cancel()
      await withDeadline(clock, COMMIT_DEADLINE_MS, 'the last commit of the catalogue', finish())
    }
  }
}
