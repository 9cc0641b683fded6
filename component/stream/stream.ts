import type { Clock } from '../base/clock.ts'
import { describeError, Fault } from '../base/fault.ts'
import { DROPPED_BYTES_MAX } from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import { FAILURES, type Failure, type Result } from '../model/failure.ts'
import type { StoredMessage } from '../model/message.ts'
import type { RemovalCause } from '../model/removal.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import type { StorageStatus } from '../model/stream-info.ts'
import { encodeDefinition } from '../protocol/index.ts'
import { systemErrorCode, writeProblem } from '../store/index.ts'
import type { SegmentSummary, StreamLog } from '../store/stream-log.ts'
import { createAppendQueue, type Append, type AppendDone } from './append-queue.ts'
import { rankOf, type BudgetMember, type DiskBudget } from './disk-budget.ts'
import { createExpirySweep } from './expiry-sweep.ts'
import { createReadWaiters, type WaitingPlaces } from './read-waiters.ts'
import { readMessages, type Reader, type ReadOptions } from './read.ts'
import { createRemovals, type Removals } from './removals.ts'
import { appendPolicy } from './retention.ts'
import type { SpaceGuard } from './space-guard.ts'
import { ORIGINAL_SPACE_POLICY, streamSpace, type SpacePolicy } from './space-policy.ts'
import { createSyncLoop } from './sync-loop.ts'

/** One stream: its definition, its log, and everything that happens to it. */
export interface Stream {
  /** Differs between a deleted stream and a later one of the same name. */
  readonly id: string
  readonly name: string
  readonly definition: StreamDefinition
  readonly log: StreamLog
  /** What retention has removed. */
  readonly removals: Omit<Removals, 'add'>
  /** Why the last append failed, as long as none has worked since; a sentence without a final dot. */
  readonly appendProblem: string | undefined
  /** Appends one message; `done` is called once, possibly at once. `payload` must not change until then. */
  append(payload: Buffer, done: AppendDone): void
  /** The same for a caller that has an object for each append anyway. */
  enqueue(append: Append): void
  /** Reads messages, waiting for them if the options say so. @throws Fault when the disk cannot be read */
  read(options: ReadOptions, reader: Reader): Promise<Result<readonly StoredMessage[]>>
  storageStatus(): StorageStatus
  /**
   * The new definition holds from now on; segments that it expires or that no longer fit are dropped, the latter from a
   * rejecting stream only with `mayDropData`.
   */
  setDefinition(definition: StreamDefinition, mayDropData?: boolean): Promise<void>
  /** Calls `listener` whenever `log.durableNext` has grown. Returns the function that ends it. */
  onDurable(listener: () => void): () => void
  /**
   * Calls `listener` before messages below `before` are dropped because they have expired, and waits for it. Returns the
   * function that ends it.
   */
  onExpiring(listener: (before: number) => Promise<void>): () => void
  /** Drops the segments that every enabled export has passed, if the space policy says so. */
  reclaim(): void
  /**
   * Refuses and ends everything under way: the stream was deleted.
   * @param held until it has resolved, the log can still be read
   */
  drop(held?: Promise<unknown>): Promise<void>
  /** Writes, syncs and closes: the server stops. */
  stop(): Promise<void>
}

export interface StreamOptions {
  readonly id: string
  readonly definition: StreamDefinition
  readonly log: StreamLog
  /** The catalogue's value of what retention had removed in earlier runs. */
  readonly removed?: Buffer | undefined
  /** Keeps that value with the log's state. */
  readonly saveRemoved?: (value: Buffer) => void
  readonly space: SpaceGuard
  /** By default that of the original. */
  readonly spacePolicy?: SpacePolicy | undefined
  /** Absent without a bound on all streams together, and for memory streams. */
  readonly budget?: DiskBudget | undefined
  /** Places for waiting reads, shared by all streams. */
  readonly waitingPlaces: WaitingPlaces
  readonly clock: Clock
  readonly logger: Logger
  readonly defer: (action: () => void) => void
  /** The log's state has changed and should reach the catalogue soon. */
  readonly changed: () => void
  /** Resolves when the catalogue holds the log's state and dropped segments have been removed. */
  readonly checkpoint: () => Promise<void>
}

const MEMORY_FULL: Failure = { kind: 'outOfMemory', message: 'the memory for streams without files is full' }
/** A disk that failed may work at the next append (behaviour 4.3); one that failed again is left alone for so long. */
const WRITE_RETRY_MS = 1_000
const SERVER_STOPS: Failure = { kind: 'unknownFailure', message: 'the server is stopping' }

/** Opens the traffic of a stream whose log has been created or recovered. */
export function createStream(options: StreamOptions): Stream {
  const { log, clock, logger, space, waitingPlaces: places } = options
  const name = options.definition.name
  let definition = options.definition
  let policy = appendPolicy(definition)
  let closedBecause: Failure | undefined
  const waiters = createReadWaiters(clock)
  const removals = createRemovals(options.removed, options.saveRemoved ?? (() => undefined))
  const durableListeners = new Set<() => void>()
  const expiringListeners = new Set<(before: number) => Promise<void>>()

  const durable = (): void => {
    options.changed()
    for (const listener of durableListeners) listener()
  }
  const syncLoop = createSyncLoop({ log, clock, logger, streamName: name, durable })

  /** Said once, and again when it is over (reliability 3.5). */
  let failedWrites = 0
  let appendProblem: string | undefined
  /** While the disk is left alone: why appends are refused, and until when. */
  let rest: { readonly failure: Failure; readonly untilMs: number } | undefined
  const failureOf = (fault: Fault): Failure => {
    if (failedWrites === 0) logger.warn('Appends to a stream fail', { stream: name, error: describeError(fault) })
    failedWrites += 1
    appendProblem = describeError(fault)
    if (systemErrorCode(fault) === 'ENOMEM') return MEMORY_FULL
    const problem = writeProblem(fault)
    if (problem === undefined) return { kind: 'unknownFailure', message: describeError(fault) }
    const failure: Failure = { kind: 'unknownFailure', message: `${problem}: ${describeError(fault)}` }
    if (failedWrites > 1) rest = { failure, untilMs: clock.monotonicMs() + WRITE_RETRY_MS }
    return failure
  }

  const written = (): void => {
    if (failedWrites > 0 || isProtected) logger.info('Appends to a stream work again', { stream: name })
    isProtected = false
    share?.changed()
    failedWrites = 0
    appendProblem = undefined
    rest = undefined
    waiters.advance(log.next)
    if (policy.usesDisk) syncLoop.written()
    else durable()
  }

  const drop = (cause: RemovalCause): SegmentSummary | undefined => {
    const from = log.oldest
    const dropped = log.dropOldestSegment()
    if (dropped !== undefined && log.oldest > from) removals.add({ from, below: log.oldest, cause }, dropped.bytes)
    share?.changed()
    return dropped
  }

  const kept = streamSpace(options.spacePolicy ?? ORIGINAL_SPACE_POLICY, options.id, () => definition)
  const isDroppable = (): boolean => (log.sealed[0]?.next ?? log.next) <= kept.droppableBelow()

  /** Said once, and again when it is over. */
  let isProtected = false
  const mayDropOldest = (): boolean => {
    if (isDroppable()) return true
    if (!isProtected) logger.warn('A stream is full of messages that are not exported yet', { stream: name })
    isProtected = true
    appendProblem = 'the stream is full of messages that are not exported yet'
    return false
  }

  /** Bytes dropped since the last checkpoint that was asked for here. */
  let droppedBytes = 0
  const dropOldest = (cause: RemovalCause): Promise<void> | undefined => {
    const dropped = drop(cause)
    if (dropped === undefined) return undefined
    logger.debug('The oldest segment was dropped to make room', {
      stream: name,
      from: dropped.base,
      to: dropped.next - 1
    })
    options.changed()
    droppedBytes += dropped.bytes
    // The file goes with the next checkpoint; it comes early when the space is needed.
    if (droppedBytes < DROPPED_BYTES_MAX && space.shortage(0) === undefined) return undefined
    droppedBytes = 0
    return options.checkpoint()
  }

  const member: BudgetMember = {
    get storedBytes() {
      return log.totalBytes
    },
    get rank() {
      return rankOf(definition)
    },
    get droppableIngestMs() {
      return policy.overwritesOldest && isDroppable() ? log.sealed[0]?.lastIngestMs : undefined
    },
    // Sealed segments may go while an append is under way. A catalogue that takes nothing is told again later.
    dropOldest: () => void dropOldest('evicted')?.catch(() => undefined)
  }
  const share = options.budget?.join(member)

  const queue = createAppendQueue({
    log,
    space,
    budget: share,
    mayDropOldest,
    policy: () => policy,
    wallMs: () => clock.wallMs(),
    defer: options.defer,
    written,
    whenDurable: (done) => syncLoop.whenDurable(done),
    dropOldest: () => dropOldest('overwritten'),
    failureOf
  })

  /** After an update to a smaller stream, and of what a kill brought back, the oldest segments go at once (behaviour 3.7, 4.3). */
  const dropExcess = (mayDropData = false): void => {
    if (!policy.overwritesOldest && !mayDropData) return
    const isExcess = (): boolean => log.totalBytes > policy.bytesMax && (mayDropData || isDroppable())
    while (isExcess() && drop('overwritten') !== undefined) options.changed()
  }

  /** The active segment goes, too, when it is too large alone. */
  const shrink = async (): Promise<void> => {
    dropExcess(true)
    if (log.totalBytes <= policy.bytesMax) return
    try {
      await log.roll()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      logger.warn('Too many messages for the new size are kept', { stream: name, error: describeError(error) })
    }
    dropExcess(true)
  }

  const close = (failure: Failure): Promise<void> => {
    closedBecause = failure
    share?.leave()
    expiry.stop()
    queue.close(failure)
    waiters.cancelAll()
    durableListeners.clear()
    expiringListeners.clear()
    return queue.exclusively(() => undefined)
  }

  const isReclaimable = (): boolean => {
    const [oldest] = log.sealed
    return oldest !== undefined && oldest.next <= kept.reclaimableBelow()
  }
  let isReclaiming = false
  const reclaim = (): void => {
    if (isReclaiming || closedBecause !== undefined || !isReclaimable()) return
    isReclaiming = true
    void queue.exclusively(() => {
      isReclaiming = false
      while (closedBecause === undefined && isReclaimable()) {
        const dropped = drop('reclaimed')
        logger.debug('An exported segment was dropped', { stream: name, from: dropped?.base, to: log.oldest - 1 })
        options.changed()
      }
    })
  }

  const expiry = createExpirySweep({
    log,
    clock,
    logger,
    streamName: name,
    timeToLiveMs: () => definition.timeToLiveMs,
    async expiring(before) {
      await Promise.all([...expiringListeners].map((listener) => listener(before)))
    },
    exclusively: (action) => queue.exclusively(action),
    drop: () => drop('expired'),
    changed: options.changed
  })
  expiry.restart()
  dropExcess()
  // What recovery could not make durable must not wait for the next append.
  syncLoop.written()

  const enqueue = (append: Append): void => {
    if (rest !== undefined && closedBecause === undefined && clock.monotonicMs() < rest.untilMs)
      append.done(rest.failure, -1)
    else queue.append(append)
  }

  return {
    id: options.id,
    name,
    log,
    removals,
    get appendProblem() {
      return appendProblem
    },
    get definition() {
      return definition
    },
    append: (payload, done) => enqueue({ payload, ingestTimeMs: 0, done }),
    enqueue,
    read: (readOptions, reader) =>
      closedBecause === undefined
        ? readMessages({ log, waiters, places, clock, closedBecause: () => closedBecause }, readOptions, reader)
        : Promise.resolve({ ok: false, failure: closedBecause }),
    storageStatus: () => ({
      oldestSequenceNumber: log.oldest,
      newestSequenceNumber: log.next - 1,
      totalBytes: log.totalBytes
    }),
    setDefinition(next, mayDropData = false) {
      return queue.exclusively(async () => {
        definition = next
        policy = appendPolicy(next)
        log.setMetadata(encodeDefinition(next))
        log.setRollBytes(policy.rollBytes)
        if (mayDropData) await shrink()
        else dropExcess()
        expiry.restart()
      })
    },
    onDurable(listener) {
      durableListeners.add(listener)
      return () => void durableListeners.delete(listener)
    },
    onExpiring(listener) {
      expiringListeners.add(listener)
      return () => void expiringListeners.delete(listener)
    },
    reclaim,
    async drop(held) {
      await close(FAILURES.streamMissing)
      syncLoop.drop(FAILURES.streamMissing)
      if (held === undefined) log.close()
      else void held.then(() => log.close())
    },
    async stop() {
      await close(SERVER_STOPS)
      await syncLoop.stop(SERVER_STOPS)
    }
  }
}
