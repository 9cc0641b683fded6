import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Disk } from './disk.ts'
import { encodeSegmentHeader, readSegmentHeader } from './segment-header.ts'

/**
 * The metadata of a log after it has changed: `definition` beside the segments. Headers of segments keep what held when
 * they were made, so without this file a lost catalogue would bring an older definition back until the next roll. Its
 * layout is that of a segment header, whose checksum and stream id it needs as well. Where it is, it counts.
 */
export const DEFINITION_NAME = 'definition'
/** One being written; worthless after a restart. */
export const NEW_DEFINITION_NAME = 'definition.new'

export interface DefinitionFileOptions {
  readonly disk: Disk
  /** Folder of the log. */
  readonly folder: string
  readonly streamId: string
}

/**
 * Replaces the file at once; a power cut leaves the old or the new one.
 * @throws Fault; the old one is there then
 */
export async function writeDefinitionFile(
  { disk, folder, streamId, clock }: DefinitionFileOptions & { readonly clock: Clock },
  metadata: Buffer
): Promise<void> {
  const temporary = join(folder, NEW_DEFINITION_NAME)
  disk.removeFile(temporary)
  const file = disk.createFile(temporary)
  try {
    file.write([encodeSegmentHeader({ streamId, createdMs: clock.wallMs(), metadata, isAfterGap: false })], 0)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(temporary, join(folder, DEFINITION_NAME))
  await disk.syncFolder(folder)
}

/** The metadata in the file; undefined when there is none, or it is damaged, or of another stream. */
export function readDefinitionFile({ disk, folder, streamId }: DefinitionFileOptions): Buffer | undefined {
  const path = join(folder, DEFINITION_NAME)
  if (!disk.listFolder(folder).some(({ name, isFolder }) => name === DEFINITION_NAME && !isFolder)) return undefined
  try {
    const file = disk.openFile(path, 'read')
    try {
      const result = readSegmentHeader(file, path)
      return result.kind === 'valid' && result.header.streamId === streamId ? result.header.metadata : undefined
    } finally {
      file.close()
    }
  } catch {
    // The segments' headers serve then.
    return undefined
  }
}
