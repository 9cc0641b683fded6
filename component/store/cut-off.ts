import { join } from 'node:path'
import type { Disk } from './disk.ts'
import { inspectSegment, type MessageVisitor } from './inspect-segment.ts'
import { CORRUPT_SUFFIX, parseSegmentName, SEQUENCE_MAX } from './segment-name.ts'

/**
 * Reads the messages in what a recovery had cut off a log and kept beside it. Their numbers may have been given again
 * since, so they are none of the log's. Nothing is changed.
 * @param visit is told of every readable message
 * @throws Fault when the disk does not give the folder or the file
 */
export async function inspectCutOff(
  { disk, folder, streamId }: { readonly disk: Disk; readonly folder: string; readonly streamId: string },
  visit: MessageVisitor
): Promise<void> {
  for (const { name, isFolder } of disk.listFolder(folder)) {
    const base = name.endsWith(CORRUPT_SUFFIX) ? parseSegmentName(name.slice(0, -CORRUPT_SUFFIX.length)) : undefined
    if (isFolder || base === undefined) continue
    const path = join(folder, name)
    const file = disk.openFile(path, 'read')
    try {
      await inspectSegment({ file, path, streamId, base, sequenceEnd: SEQUENCE_MAX }, visit)
    } finally {
      file.close()
    }
  }
}
