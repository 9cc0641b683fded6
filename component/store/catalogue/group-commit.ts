import type { Timer } from '../../base/clock.ts'
import { describeError, Fault } from '../../base/fault.ts'
import { withDeadline } from './deadline.ts'
import type { EntryTable } from './entry-table.ts'
import {
  abandonGeneration,
  buildGeneration,
  closeGeneration,
  removeOlderGenerations,
  type CatalogueContext,
  type Generation
} from './generation.ts'
import { COMMIT_DEADLINE_MS, RETRY_INTERVAL_MS } from './limits.ts'
import { createPendingChanges } from './pending-changes.ts'
import { createSpaceKeeper, type SpaceKeeper } from './space-keeper.ts'

/**
 * Carries the table into the database. One transaction is in flight; everything that changes meanwhile goes into the
 * next one, so that a slow sync is shared (reliability 3.2.6).
 *
 *     working ──commit fails or is late──▶ building the next generation ──▶ working
 *                                               │ fails            ▲
 *                                               ▼                  │ RETRY_INTERVAL_MS
 *                                             failed ──────────────┘
 */
export interface GroupCommit {
  /** Why commits are being rejected; undefined while they work. */
  readonly fault: Fault | undefined
  /** Room for another stream's records. */
  readonly hasRoomForStreams: boolean
  /** The table is about to change at this key. */
  touch(key: string): void
  /** Resolves when these keys, touched and changed before, are durable. @throws Fault when they could not be made so */
  flush(keys: readonly string[]): Promise<void>
  /** Call it once. @throws Fault when the last commit or the closing failed or took longer than the deadline */
  close(): Promise<void>
}

interface Waiter {
  readonly keys: readonly string[]
  resolve(): void
  reject(fault: Fault): void
}

/** A database that works so far, and the room in its file. */
interface Working {
  readonly generation: Generation
  readonly space: SpaceKeeper
}

export interface GroupCommitOptions {
  readonly context: CatalogueContext
  readonly table: EntryTable
  /** The open database, or why there is none yet. */
  readonly generation: Generation | Fault
  /** Highest number of a generation so far. */
  readonly lastNumber: number
  /** Called after keys have become durable. */
  readonly onDurable: (keys: readonly string[]) => void
}

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { context, table, onDurable } = options
  const { clock, log } = context
  const pending = createPendingChanges(table)
  let working: Working | undefined
  let lastNumber = options.lastNumber
  let fault: Fault | undefined
  let waiting: Waiter[] = []
  let running: Promise<void> | undefined
  let retry: Timer | undefined
  let isClosed = false

  const use = (generation: Generation): void => {
    working = { generation, space: createSpaceKeeper(context, generation) }
    fault = undefined
  }

  /** Writes the whole table into the next generation. */
  const rebuild = async (): Promise<void> => {
    pending.reset()
    const keys = [...table.entries.keys()]
    lastNumber += 1
    use(await buildGeneration(context, lastNumber, table))
    await removeOlderGenerations(context, lastNumber)
    log.info('A new catalogue is in use', { generation: lastNumber, entries: keys.length })
    onDurable(keys)
  }

  /**
   * While the file cannot grow: sends away those whose changes would fill it up. Their growing keys are held back, the
   * rest of their changes is written with the others.
   */
  const refuseGrowth = (space: SpaceKeeper, waiters: readonly Waiter[]): Waiter[] => {
    let room = space.growthBytesMax
    return waiters.filter(({ keys, reject }) => {
      const growth = pending.growthOf(keys)
      const fits = (growth <= 0 || growth <= room) && pending.largestOf(keys) <= space.recordBytesMax
      if (fits) {
        pending.release(keys)
        room -= growth
      } else {
        pending.hold(keys)
        reject(new Fault('the catalogue is full and the disk has no room to make it larger'))
      }
      return fits
    })
  }

  const commitOnce = async ({ generation, space }: Working): Promise<void> => {
    const { keys, changes } = pending.take(space.keysPerCommit)
    if (generation.file.isUnlinked()) throw new Fault('the file of the catalogue was removed')
    const commit = generation.environment.commit(changes)
    await withDeadline(clock, COMMIT_DEADLINE_MS, 'a commit of the catalogue', commit)
    space.refresh()
    onDurable(keys)
  }

  /** Commits what is pending; goes over to the next generation when this one fails. */
  const commitAll = async (current: Working): Promise<void> => {
    try {
      while (!pending.isEmpty) {
        await commitOnce(current)
        // Small commits are for a full disk alone; otherwise later changes wait for the next round.
        if (!current.space.isTight) return
      }
    } catch (error) {
      log.error('A commit of the catalogue failed; a new catalogue is written', { error: describeError(error) })
      working = undefined
      abandonGeneration(context, current.generation)
      await rebuild()
    }
  }

  /** Makes the changes of the waiters durable, in this generation or in the next one; returns those that it served. */
  const store = async (waiters: readonly Waiter[]): Promise<readonly Waiter[]> => {
    if (working === undefined) {
      await rebuild()
      return waiters
    }
    const current = working
    await current.space.extend(pending.count, pending.bytes)
    if (!current.space.isTight) pending.releaseAll()
    const accepted = current.space.isTight ? refuseGrowth(current.space, waiters) : waiters
    await commitAll(current)
    return accepted
  }

  const run = async (): Promise<void> => {
    do {
      const served = waiting
      waiting = []
      try {
        for (const waiter of await store(served)) waiter.resolve()
      } catch (error) {
        const reason = error instanceof Fault ? error : new Fault(describeError(error), error)
        for (const waiter of served) waiter.reject(reason)
        if (working === undefined) fail(reason)
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
    try {
      await store([])
    } finally {
      if (working !== undefined) await closeGeneration(context, working.generation)
    }
  }

  if (options.generation instanceof Fault) fail(options.generation)
  else use(options.generation)

  return {
    get fault() {
      return fault
    },
    get hasRoomForStreams() {
      return working?.space.hasRoomForStreams ?? true
    },
    touch(key) {
      // Without a database the next one gets the whole table.
      if (working !== undefined || running !== undefined) pending.touch(key)
    },
    flush(keys) {
      if (isClosed) return Promise.reject(new Fault('the catalogue is closed'))
      if (fault !== undefined && running === undefined) return Promise.reject(fault)
      return new Promise((resolve, reject) => {
        waiting.push({ keys, resolve, reject })
        start()
      })
    },
    async close() {
      isClosed = true
      retry?.cancel()
      try {
        await withDeadline(clock, COMMIT_DEADLINE_MS, 'the last commit of the catalogue', finish())
      } finally {
        context.condition.isGivenUp = true
      }
    }
  }
}
