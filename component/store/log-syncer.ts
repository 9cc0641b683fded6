import { describeError, Fault } from '../base/fault.ts'
import type { LogContext } from './log-context.ts'
import { retireFile, type LogSegments } from './log-segments.ts'
import { copyRecords, cutQuietly } from './salvage-copy.ts'
import { segmentPath } from './segment-name.ts'
import type { Segment } from './segment.ts'
import { SharedFile } from './shared-file.ts'
import { removeQuietly } from './spare-segment.ts'
import { isMissingError } from './system-error.ts'
import type { WriterGate } from './writer-gate.ts'

/** How far a file was written at some moment. */
interface WrittenPart {
  readonly end: number
  readonly next: number
  readonly lastIngestMs: number
  readonly cuts: number
}

function partOf({ next, lastIngestMs, cuts, layout }: Segment): WrittenPart {
  return { end: layout?.end ?? 0, next, lastIngestMs, cuts }
}

/**
 * Makes a log durable: one sync under way, one more that serves all calls made meanwhile. A failed sync is final for
 * its file (reliability 3.1.6): the records that were not durable are copied to another file and synced there.
 *
 *   writing ──sync fails──▶ copying ──copy synced, renamed──▶ writing
 *                              └──copy fails──▶ refusing ──a later sync copies──▶ writing
 */
export class LogSyncer {
  readonly #context: LogContext
  readonly #segments: LogSegments
  readonly #gate: WriterGate
  readonly #metadata: () => Buffer
  #running: Promise<void> | undefined
  #follower: Promise<void> | undefined
  #refusal: Fault | undefined
  #isRemoved = false
  #isClosed = false
  /** At first it is not known what the last run left. */
  #isFolderUnsynced = true

  /** @param metadata what headers of new segments carry */
  constructor(context: LogContext, segments: LogSegments, gate: WriterGate, metadata: () => Buffer) {
    this.#context = context
    this.#segments = segments
    this.#gate = gate
    this.#metadata = metadata
  }

  /** Why appends are refused; undefined when they are not. */
  get refusal(): Fault | undefined {
    return this.#refusal
  }

  /** See StreamLog.sync. */
  sync(): Promise<void> {
    if (this.#running === undefined) return this.#start()
    this.#follower ??= this.#running.catch(() => undefined).then(() => this.#start())
    return this.#follower
  }

  /** Ends a sync under way before it opens another file. */
  close(): void {
    this.#isClosed = true
  }

  #start(): Promise<void> {
    this.#follower = undefined
    const running = this.#syncAll().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }

  async #syncAll(): Promise<void> {
    try {
      this.#checkStillThere()
      for (const segment of this.#segments.unsynced()) await this.#syncSegment(segment, true)
      this.#refusal = undefined
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#refusal = new Fault(`written messages cannot be made durable: ${describeError(error)}`, error)
      throw this.#refusal
    }
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new Fault('the log is closed')
  }

  /** A removed file takes writes and syncs without a word; only its link count tells (reliability ST22). */
  #checkStillThere(): void {
    const { active } = this.#segments
    if (!this.#isRemoved && active.file?.file.isUnlinked() !== true) return
    const path = segmentPath(this.#context.folder, active.base)
    if (!this.#isRemoved) this.#context.logger.error('The active segment was removed by another program', { path })
    this.#isRemoved = true
    throw new Fault(`${path} was removed by another program`)
  }

  async #syncSegment(segment: Segment, mayCopy: boolean): Promise<void> {
    this.#requireOpen()
    const written = segment.hasFailedSync ? undefined : await this.#syncFile(segment)
    if (written !== undefined) {
      await this.#syncFolder()
      this.#noteSynced(segment, written)
      return
    }
    const path = segmentPath(this.#context.folder, segment.base)
    if (!mayCopy) throw new Fault(`the copy ${path} cannot be synced`)
    const copy = await this.#gate.run(() => this.#moveToCopy(segment))
    if (copy !== undefined) {
      await this.#syncFolder()
      await this.#syncSegment(copy, false)
    } else if (this.#segments.isDropped(segment)) {
      // Until its file is gone it could come back torn after a power cut, and all behind it would be cut.
      throw new Fault(`${path} was dropped and cannot be synced, its removal is awaited`)
    }
  }

  /** What is durable now; undefined when the sync failed, which is final for this file. */
  async #syncFile(segment: Segment): Promise<WrittenPart | undefined> {
    const shared = this.#openForSync(segment)
    if (shared === undefined) return partOf(segment)
    try {
      return await shared.use((file) =>
        this.#context.syncs(async () => {
          const written = partOf(segment)
          await file.sync()
          return written
        })
      )
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      segment.hasFailedSync = true
      segment.isClosedForWriting = true
      this.#context.logger.error('A sync failed, its messages are copied to another file', {
        path: segmentPath(this.#context.folder, segment.base),
        error: describeError(error)
      })
      return undefined
    }
  }

  #noteSynced(segment: Segment, written: WrittenPart): void {
    // A failed write may have cut the file meanwhile: the cut is yet to be synced then.
    if (segment.cuts === written.cuts) segment.syncedEnd = Math.max(segment.syncedEnd, written.end)
    this.#segments.raiseDurable(segment, written.end, written.next, written.lastIngestMs)
    const isWhole = segment.syncedEnd >= (segment.layout?.end ?? 0)
    if (segment !== this.#segments.active && isWhole) retireFile(segment)
  }

  /** The open file, also of a segment of an earlier run. Undefined when it has vanished: then nothing is left to sync. */
  #openForSync(segment: Segment): SharedFile | undefined {
    if (segment.file !== undefined) return segment.file
    const path = segmentPath(this.#context.folder, segment.base)
    try {
      segment.file = new SharedFile(this.#context.disk.openFile(path, 'readWrite'))
      return segment.file
    } catch (error) {
      if (!isMissingError(error)) throw error
      segment.isVanished = true
      return undefined
    }
  }

  async #syncFolder(): Promise<void> {
    if (!this.#isFolderUnsynced) return
    const { disk, folder, syncs } = this.#context
    await syncs(() => disk.syncFolder(folder))
    this.#isFolderUnsynced = false
  }

  /**
   * Moves the records that are not durable to a copy, which takes their place in the log.
   * @returns the copy, to be synced; undefined when nothing had to be, or could be, copied
   */
  async #moveToCopy(segment: Segment): Promise<Segment | undefined> {
    const segments = this.#segments
    this.#requireOpen()
    if (segments.positionOf(segment) === -1) return undefined
    const from = Math.max(segments.durable.next, segment.base)
    const shared = from < segment.next ? this.#openForSync(segment) : undefined
    if (shared === undefined) {
      segment.hasFailedSync = false
      segment.syncedEnd = Infinity
      return undefined
    }
    const offset = from === segment.base ? (segment.layout?.start ?? 0) : segments.durable.offset
    const copy = await copyRecords(this.#context, { segment, shared, from, offset }, this.#metadata())
    if (segments.positionOf(segment) === -1) {
      this.#discardCopy(copy, from)
      return undefined
    }
    try {
      this.#requireOpen()
    } catch (error) {
      if (copy !== undefined) retireFile(copy)
      throw error
    }
    if (from > segment.base || copy === undefined) this.#shortenTo(segment, shared, offset)
    if (copy === undefined) {
      segments.replaceTail(segment, segment.bytes > 0 || segment === segments.active, [])
      segments.raiseDurable(segment, offset, segment.next, segment.lastIngestMs)
      return undefined
    }
    const keepsHead = from > segment.base
    if (keepsHead) segment.next = from
    this.#isFolderUnsynced = true
    // Its content is synced, its name is not.
    copy.syncedEnd = 0
    segments.replaceTail(segment, keepsHead, [copy])
    retireFile(segment)
    return copy
  }

  /** Leaves in a segment what was durable before `offset`. */
  #shortenTo(segment: Segment, shared: SharedFile, offset: number): void {
    const start = segment.layout?.start ?? 0
    segment.layout = { start, end: offset }
    segment.bytes = offset - start
    segment.lastIngestMs = segment.bytes === 0 ? 0 : this.#segments.durable.lastIngestMs
    segment.hasFailedSync = false
    segment.syncedEnd = Infinity
    cutQuietly(this.#context, shared.file, offset)
  }

  /** The segment was dropped while it was being copied. */
  #discardCopy(copy: Segment | undefined, from: number): void {
    if (copy === undefined) return
    retireFile(copy)
    removeQuietly(this.#context, segmentPath(this.#context.folder, from))
  }
}
