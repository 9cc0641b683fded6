import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Disk } from './disk.ts'
import { ReadWindows } from './read-windows.ts'
import { recordSeed } from './record.ts'
import type { SyncLimiter } from './sync-limiter.ts'

/** What a log is made of; every part of it works with the same ones. */
export interface LogOptions {
  readonly disk: Disk
  /** Folder of the stream: absolute, and nobody else's. */
  readonly folder: string
  /** Differs for every stream ever created; at most 255 bytes. Checksums depend on it. */
  readonly streamId: string
  /** See StreamLog.setMetadata. */
  readonly metadata: Buffer
  /** See StreamLog.setRollBytes. */
  readonly rollBytes: number
  readonly clock: Clock
  readonly logger: Logger
  /** Shared by all logs. */
  readonly syncs: SyncLimiter
  /** Shared by all logs; a log without has its own. */
  readonly windows?: ReadWindows
}

/** The options with what follows from them. */
export interface LogContext extends LogOptions {
  readonly windows: ReadWindows
  /** See recordSeed. */
  readonly seed: number
  /** See Disk. */
  readonly isVolatile: boolean
}

export function createLogContext(options: LogOptions): LogContext {
  return {
    ...options,
    windows: options.windows ?? new ReadWindows(),
    seed: recordSeed(options.streamId),
    isVolatile: options.disk.isVolatile === true
  }
}
