import { join } from 'node:path'
import { describeError } from '../base/fault.ts'
import type { DiskFile } from './disk.ts'
import type { LogContext } from './log-context.ts'
import { encodeSegmentHeader } from './segment-header.ts'
import { SPARE_NAME } from './segment-name.ts'

/** After a failure to make a spare ahead of time. */
const RETRY_DELAY_MS = 1_000

/** A file that needs only its name to become a segment: header and folder entry are durable. */
export interface NewSegmentFile {
  readonly file: DiskFile
  readonly path: string
  readonly headerBytes: number
}

/**
 * Creates a segment file under a temporary name and makes its header durable.
 * @throws Fault; nothing is left behind
 */
export async function createSegmentFile(
  context: LogContext,
  name: string,
  metadata: Buffer,
  isAfterGap: boolean
): Promise<NewSegmentFile> {
  const { disk, folder, streamId, clock, syncs } = context
  const path = join(folder, name)
  const header = encodeSegmentHeader({ streamId, createdMs: clock.wallMs(), metadata, isAfterGap })
  disk.removeFile(path)
  const file = disk.createFile(path)
  try {
    file.write([header], 0)
    await syncs(() => file.sync())
    await syncs(() => disk.syncFolder(folder))
    return { file, path, headerBytes: header.length }
  } catch (error) {
    file.close()
    removeQuietly(context, path)
    throw error
  }
}

/** Removes a file that recovery would remove as well. */
export function removeQuietly(context: LogContext, path: string): void {
  try {
    context.disk.removeFile(path)
  } catch (error) {
    context.logger.warn('A leftover file cannot be removed', { path, error: describeError(error) })
  }
}

/**
 * The next segment, made ahead of time as `spare.log` so that a roll needs no sync (behaviour 4.4, reliability 3.1.4).
 *
 *   none ──prepare──▶ making ──▶ ready ──take, rename──▶ none
 *
 * The rename is not synced by the roll: after a power cut the segment may still be called `spare.log`, and recovery
 * knows it by its records. Before another spare is made the folder is synced, so there is never a second candidate.
 */
export class SpareSegment {
  readonly #context: LogContext
  #metadata: Buffer
  #ready: NewSegmentFile | undefined
  #making: Promise<NewSegmentFile> | undefined
  /** At first it is not known what the last run left. */
  #isRenameUnsynced = true
  #isClosed = false
  #retryAtMs = -Infinity

  constructor(context: LogContext) {
    this.#context = context
    this.#metadata = context.metadata
  }

  /** Makes a spare in the background, unless there is one. A failure is no error: the roll will try again. */
  prepare(): void {
    if (this.#ready !== undefined || this.#making !== undefined || this.#isClosed) return
    if (this.#context.clock.monotonicMs() < this.#retryAtMs) return
    this.make(false).catch((error: unknown) => {
      this.#retryAtMs = this.#context.clock.monotonicMs() + RETRY_DELAY_MS
      this.#context.logger.debug('The next segment cannot be made ahead of time', { error: describeError(error) })
    })
  }

  /** The spare if it is ready. It must be given a name before anything else is asked of this object. */
  get ready(): NewSegmentFile | undefined {
    return this.#ready
  }

  /** The ready spare has become a segment. */
  taken(): void {
    this.#ready = undefined
    this.#isRenameUnsynced = true
  }

  /**
   * Makes a spare, or waits for the one under way.
   * @param isAfterGap see SegmentHeader; an ordinary spare does not serve then
   * @throws Fault when it cannot be made
   */
  async make(isAfterGap: boolean): Promise<NewSegmentFile> {
    if (this.#making !== undefined) await this.#making.catch(() => undefined)
    if (this.#ready !== undefined && !isAfterGap) return this.#ready
    this.#discard()
    this.#making = this.#create(isAfterGap)
    try {
      const made = await this.#making
      this.#ready = made
      if (this.#isClosed) made.file.close()
      return made
    } finally {
      this.#making = undefined
    }
  }

  /** Later spares carry other metadata. */
  setMetadata(metadata: Buffer): void {
    this.#metadata = metadata
    this.#discard()
  }

  close(): void {
    this.#isClosed = true
    this.#discard()
  }

  async #create(isAfterGap: boolean): Promise<NewSegmentFile> {
    const { disk, folder, syncs } = this.#context
    if (this.#isRenameUnsynced) {
      await syncs(() => disk.syncFolder(folder))
      this.#isRenameUnsynced = false
    }
    for (;;) {
      const metadata = this.#metadata
      const made = await createSegmentFile(this.#context, SPARE_NAME, metadata, isAfterGap)
      if (metadata === this.#metadata) return made
      made.file.close()
    }
  }

  #discard(): void {
    if (this.#ready === undefined) return
    this.#ready.file.close()
    removeQuietly(this.#context, this.#ready.path)
    this.#ready = undefined
  }
}
