import type { StreamDefinition } from '../model/stream-definition.ts'
import type { ExportStatus } from '../model/stream-info.ts'
import { isEndedKey } from './endings.ts'
import type { ProgressStore } from './source.ts'

/** Up to where streams have been exported, for retention. */
export interface ExportedBelow {
  /** Passes all progress on to `progress` and learns from it. @param moved called when an export of the stream has moved */
  watch(progress: ProgressStore, moved: (streamId: string) => void): ProgressStore
  /** What an earlier run has left of a stream's exports. */
  opened(streamId: string, identifiers: Iterable<string>): void
  /**
   * Messages below this number are needed by no enabled export; 0 when it is not known, and while tasks of removed exports
   * wait to be told of.
   */
  of(streamId: string, definition: StreamDefinition): number
}

/** @param statuses what the engine says of the exports of an open stream */
export function createExportedBelow(statuses: (streamId: string) => readonly ExportStatus[]): ExportedBelow {
  /** Removed exports with tasks that are still to be told of, by stream. */
  const ended = new Map<string, Set<string>>()
  const endedOf = (streamId: string): Set<string> => {
    const keys = ended.get(streamId) ?? new Set()
    ended.set(streamId, keys)
    return keys
  }
  return {
    watch: (progress, moved) => ({
      save(streamId, identifier, record) {
        progress.save(streamId, identifier, record)
        if (isEndedKey(identifier)) endedOf(streamId).add(identifier)
        else moved(streamId)
      },
      remove(streamId, identifier) {
        progress.remove(streamId, identifier)
        const keys = ended.get(streamId)
        keys?.delete(identifier)
        if (keys?.size === 0) ended.delete(streamId)
        moved(streamId)
      }
    }),
    opened(streamId, identifiers) {
      for (const identifier of identifiers) if (isEndedKey(identifier)) endedOf(streamId).add(identifier)
    },
    of(streamId, { exports }) {
      if (ended.has(streamId)) return 0
      const reached = new Map(
        statuses(streamId).map((status) => [status.exportConfigIdentifier, status.lastExportedSequenceNumber + 1n])
      )
      const enabled = exports.filter(({ disabled }) => disabled !== true)
      return Math.min(...enabled.map(({ identifier }) => Number(reached.get(identifier) ?? 0n)))
    }
  }
}
