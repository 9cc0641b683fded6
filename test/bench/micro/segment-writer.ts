import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../component/base/clock.ts'
import { createLog, createMemoryDisk, createSyncLimiter, nodeDisk } from '../../../component/store/index.ts'
import type { Disk, NewRecord } from '../../../component/store/index.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'
import { makePayload, MIB } from '../job.ts'
import type { MicroBenchmark } from './micro.ts'

const SEGMENT_BYTES = 16 * MIB
/** Sealed segments that a log keeps. */
const SEGMENTS_MAX = 4

/** Appends groups of records to a log, seals segments and drops the oldest as a full stream does. */
function writing(name: string, openDisk: () => { disk: Disk; folder: string; close: () => void }, group: number) {
  const benchmark: MicroBenchmark = {
    name,
    async prepare() {
      const { disk, folder, close } = openDisk()
      const log = await createLog({
        disk,
        folder: join(folder, 'log'),
        streamId: 'bench',
        metadata: Buffer.alloc(0),
        rollBytes: SEGMENT_BYTES,
        clock: systemClock,
        logger: createRecordingLog(),
        syncs: createSyncLimiter(1)
      })
      const records: NewRecord[] = Array.from({ length: group }, () => ({ payload: makePayload(), ingestTimeMs: 1 }))
      return {
        async run(iterations) {
          for (let done = 0; done < iterations; done += group) {
            await log.append(records)
            if (log.activeBytes < SEGMENT_BYTES) continue
            await log.roll()
            if (log.sealed.length > SEGMENTS_MAX) log.dropOldestSegment()
            log.removeDropped(log.oldest)
          }
        },
        close() {
          log.close()
          close()
        }
      }
    }
  }
  return benchmark
}

function onDisk() {
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-bench-'))
  return { disk: nodeDisk, folder, close: () => rmSync(folder, { recursive: true, force: true }) }
}

const inMemory = () => ({
  disk: createMemoryDisk({ bytesMax: (SEGMENTS_MAX + 2) * 2 * SEGMENT_BYTES }),
  folder: '/',
  close: () => undefined
})

export const WRITER_BENCHMARKS: readonly MicroBenchmark[] = [
  writing('write a record of 1 KiB to a file, one at a time', onDisk, 1),
  writing('write a record of 1 KiB to a file, 64 together', onDisk, 64),
  writing('write a record of 1 KiB to memory, 64 together', inMemory, 64)
]
