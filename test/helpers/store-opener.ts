/**
 * A process that opens stores as the server does at its start, one after another, and says what is in them. A process of
 * its own, because LMDB may die on a damaged file.
 *
 *     parent: { folder }        child: { streams } or { error }
 */
import { systemClock } from '../../component/base/clock.ts'
import { DISK_RESERVE_BYTES } from '../../component/base/limits.ts'
import { systemRandom } from '../../component/base/random.ts'
import { nodeDisk, createMemoryDisk, createSyncLimiter } from '../../component/store/index.ts'
import { openCatalogue } from '../../component/store/catalogue/index.ts'
import { prepareStoreRoot } from '../../component/store/store-root.ts'
import {
  createCheckpointer,
  createRegistry,
  createSpaceGuard,
  createStreamFolders,
  type Registry,
  type Stream
} from '../../component/stream/index.ts'
import { probeWithChild } from './catalogue-fixture.ts'
import { createRecordingLog } from './recording-log.ts'

/** One stream of an opened store. */
export interface OpenedStream {
  readonly name: string
  readonly maxSize: number
  readonly flushOnWrite: boolean
  readonly oldest: number
  readonly next: number
  readonly messages: readonly (readonly [sequenceNumber: number, text: string])[]
  /** The number that the next append got. */
  readonly appended: number | string
}

export type OpenedStore = { readonly streams: readonly OpenedStream[] } | { readonly error: string }

async function messagesOf({ log }: Stream): Promise<[number, string][]> {
  const all: [number, string][] = []
  for (let from = log.oldest; from < log.next;) {
    const messages = await log.read(from, log.next, 10_000, 64 * 1024 * 1024)
    const last = messages.at(-1)
    if (last === undefined) break
    all.push(...messages.map(({ sequenceNumber, payload }): [number, string] => [sequenceNumber, payload.toString()]))
    from = last.sequenceNumber + 1
  }
  return all
}

const appendTo = (stream: Stream): Promise<number | string> =>
  new Promise((resolve) => {
    stream.append(Buffer.from('after the start'), (failure, number) => resolve(failure?.message ?? number))
  })

async function inspect(registry: Registry): Promise<OpenedStream[]> {
  const streams = registry.list().flatMap((name) => registry.get(name) ?? [])
  return Promise.all(
    streams.map(async (stream) => {
      const { log, definition } = stream
      const found = { oldest: log.oldest, next: log.next, messages: await messagesOf(stream) }
      const { name, maxSizeBytes, flushOnWrite } = definition
      return { name, maxSize: Number(maxSizeBytes), flushOnWrite, ...found, appended: await appendTo(stream) }
    })
  )
}

/** Opens the store below `root` after a new start of the machine. @throws what a start would */
export async function openStoreOnce(root: string): Promise<readonly OpenedStream[]> {
  const logger = createRecordingLog()
  const clock = systemClock
  const folder = prepareStoreRoot(root, nodeDisk, logger)
  const catalogue = await openCatalogue({ folder, clock, log: logger, probe: probeWithChild })
  const checkpointer = createCheckpointer({ catalogue, clock, logger })
  const memory = createMemoryDisk({ bytesMax: 1024 * 1024 })
  const syncs = createSyncLimiter(6)
  const registry = createRegistry({
    catalogue,
    checkpointer,
    folders: createStreamFolders({ disk: nodeDisk, memory, root: folder, clock, logger, syncs, sameBoot: false }),
    space: createSpaceGuard({ disk: nodeDisk, folder, reserveBytes: DISK_RESERVE_BYTES, clock, logger }),
    observer: { opened: () => undefined, updated: () => undefined, deleted: () => undefined },
    clock,
    random: systemRandom,
    logger,
    defer: setImmediate
  })
  await registry.recover()
  const streams = await inspect(registry)
  await registry.stop()
  await catalogue.close()
  return streams
}

async function answer(root: string): Promise<void> {
  let opened: OpenedStore
  try {
    opened = { streams: await openStoreOnce(root) }
  } catch (error) {
    opened = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  process.send?.(opened)
}

process.on('message', ({ folder }: { readonly folder: string }) => void answer(folder))
