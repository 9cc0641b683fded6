import { join } from 'node:path'
import { KIB } from '../base/limits.ts'
import type { StoredMessage } from '../model/message.ts'
import type { Disk, DiskFile } from '../store/disk.ts'
import { timeText } from './stream-report.ts'

/** Bytes that are gathered for a write. */
const BUFFER_BYTES = 256 * KIB

/** Takes messages in and leaves them as files. */
export interface MessageWriter {
  /** @throws Fault when the disk does not take it */
  add(message: StoredMessage): Promise<void>
  /** Makes what was added survive a power cut, and closes. */
  finish(): Promise<void>
}

/** One line of JSON: number, time of the append in two notations, payload in Base64. */
export function lineOf({ sequenceNumber, ingestTimeMs, payload }: StoredMessage): string {
  const time = timeText(ingestTimeMs)
  const line = { sequence: sequenceNumber, time, timeMs: ingestTimeMs, payload: payload.toString('base64') }
  return `${JSON.stringify(line)}\n`
}

/** Writes one file with a line for each message; the file is made with the first one. */
export function createLineWriter(disk: Disk, path: string): MessageWriter {
  let file: DiskFile | undefined
  let position = 0
  let lines: Buffer[] = []
  let bytes = 0

  const flush = async (): Promise<void> => {
    if (bytes === 0) return
    file ??= disk.createFile(path)
    await file.writeAsync([Buffer.concat(lines)], position)
    position += bytes
    lines = []
    bytes = 0
  }

  return {
    async add(message) {
      const line = Buffer.from(lineOf(message))
      lines.push(line)
      bytes += line.length
      if (bytes >= BUFFER_BYTES) await flush()
    },
    async finish() {
      await flush()
      await file?.sync()
      file?.close()
    }
  }
}

/** Writes each payload as it is, to a file that is named by its number; the folder is made with the first one. */
export function createRawWriter(disk: Disk, folder: string): MessageWriter {
  let isMade = false
  return {
    async add({ sequenceNumber, payload }) {
      if (!isMade) disk.makeFolder(folder)
      isMade = true
      const file = disk.createFile(join(folder, `${String(sequenceNumber).padStart(19, '0')}.bin`))
      try {
        await file.writeAsync([payload], 0)
      } finally {
        file.close()
      }
    },
    async finish() {
      if (isMade) await disk.syncFolder(folder)
    }
  }
}
