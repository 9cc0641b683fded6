import { limitRepeats } from '../../component/base/log-repeats.ts'
import { createInputTurns, type InputTurns } from '../../component/base/input-turns.ts'
import { createSyncLimiter } from '../../component/store/index.ts'
import type { Disk } from '../../component/store/disk.ts'
import { createMemoryDisk } from '../../component/store/index.ts'
import type { Failure, Result } from '../../component/model/failure.ts'
import type { StreamDefinition } from '../../component/model/stream-definition.ts'
import {
  catalogueKeys,
  createCheckpointer,
  createDiskBudget,
  createRegistry,
  createSpaceGuard,
  createStreamFolders,
  type Checkpointer,
  type Registry,
  type SpacePolicy,
  type Stream
} from '../../component/stream/index.ts'
import { createFakeCatalogue, type FakeCatalogue } from './fake-catalogue.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createFaultyDisk, type FaultyDisk } from './faulty-disk.ts'
import { createRecordingLog, type RecordingLog } from './recording-log.ts'
import { createSeededRandom } from './seeded-random.ts'

export const STORE = '/store'

/** A file stream of moderate size. */
export function definitionOf(name: string, changes: Partial<StreamDefinition> = {}): StreamDefinition {
  return {
    name,
    maxSizeBytes: 65_536n,
    segmentSizeBytes: 2_048,
    strategyOnFull: 'rejectNewData',
    persistence: 'file',
    flushOnWrite: false,
    exports: [],
    ...changes
  }
}

/** The streams of one run of the program, over what outlives it: disk, catalogue and clock. */
export interface StreamScene {
  readonly disk: FaultyDisk
  readonly catalogue: FakeCatalogue
  readonly clock: FakeClock
  readonly logger: RecordingLog
  readonly registry: Registry
  readonly checkpointer: Checkpointer
  readonly inputTurns: InputTurns
  /** What the exports are told: `opened s`, `updated s`, `deleted s`. */
  readonly events: string[]
  /** Export progress handed over at recovery, as `stream/identifier=value`. */
  readonly progress: string[]
}

export interface SceneOptions {
  readonly disk?: FaultyDisk
  readonly memory?: Disk
  readonly catalogue?: FakeCatalogue
  readonly clock?: FakeClock
  readonly seed?: number
  /** The exports read a deleted stream until this has resolved. */
  readonly held?: Promise<void>
  /** What the exports save as the account of each export that is new, if they save anything. */
  readonly account?: Buffer
  /** By default that of the original. */
  readonly spacePolicy?: SpacePolicy
  /** Bound on all file streams together. */
  readonly budgetBytes?: number
  /** The machine was not started anew. */
  readonly sameBoot?: boolean
}

/** Starts the streams of a store and brings back those of earlier runs. */
export async function openScene(options: SceneOptions = {}): Promise<StreamScene> {
  const random = createSeededRandom(options.seed ?? 1)
  const disk = options.disk ?? createFaultyDisk({ random })
  const catalogue = options.catalogue ?? createFakeCatalogue()
  const clock = options.clock ?? createFakeClock()
  const logger = createRecordingLog()
  const events: string[] = []
  const progress: string[] = []
  const inputTurns = createInputTurns()
  const checkpointer = createCheckpointer({ catalogue, clock, logger })
  const keepAccounts = ({ id, definition }: Stream): void => {
    if (options.account === undefined) return
    for (const { identifier } of definition.exports)
      checkpointer.put(catalogueKeys.exportProgress(id, identifier), options.account)
  }
  const registry = createRegistry({
    catalogue,
    checkpointer,
    folders: createStreamFolders({
      disk,
      memory: options.memory ?? createMemoryDisk({ bytesMax: 16 * 1024 * 1024 }),
      root: STORE,
      clock,
      logger,
      syncs: createSyncLimiter(6),
      sameBoot: options.sameBoot ?? true
    }),
    space: createSpaceGuard({ disk, folder: STORE, clock, logger }),
    spacePolicy: options.spacePolicy,
    budget:
      options.budgetBytes === undefined
        ? undefined
        : createDiskBudget(options.budgetBytes, limitRepeats(logger, clock)),
    observer: {
      opened(stream, values) {
        events.push(`opened ${stream.name}`)
        keepAccounts(stream)
        for (const [identifier, value] of values) progress.push(`${stream.name}/${identifier}=${value.toString()}`)
      },
      updated(stream) {
        events.push(`updated ${stream.name}`)
        keepAccounts(stream)
      },
      deleted(stream, hold) {
        events.push(`deleted ${stream.name}`)
        if (options.held !== undefined) hold(options.held)
      }
    },
    clock,
    random,
    logger,
    defer: inputTurns.defer
  })
  await registry.recover()
  return { disk, catalogue, clock, logger, registry, checkpointer, inputTurns, events, progress }
}

/** The next run after the process was killed, or after the machine lost its power. */
export async function restart(
  scene: StreamScene,
  kind: 'kill' | 'power cut' = 'kill',
  options: SceneOptions = {}
): Promise<StreamScene> {
  const random = createSeededRandom(options.seed ?? 2)
  return openScene({
    disk: kind === 'kill' ? scene.disk.kill() : scene.disk.cutPower(),
    catalogue: scene.catalogue.restart(random),
    clock: scene.clock,
    sameBoot: kind === 'kill',
    ...options
  })
}

/** The stream of that name. @throws when there is none */
export function streamOf(scene: StreamScene, name: string): Stream {
  const stream = scene.registry.get(name)
  if (stream === undefined) throw new Error(`there is no stream ${name}`)
  return stream
}

/** Appends a message; resolves with its number or with why it was refused. */
export function append(scene: StreamScene, name: string, payload: string | Buffer): Promise<number | Failure> {
  return new Promise((resolve) => {
    streamOf(scene, name).append(Buffer.from(payload), (failure, sequenceNumber) => resolve(failure ?? sequenceNumber))
  })
}

/** All messages of a stream as `number:text`. */
export async function readAllTexts(scene: StreamScene, name: string): Promise<string[]> {
  const { log } = streamOf(scene, name)
  const texts: string[] = []
  for (let next = log.oldest; ;) {
    const messages = await log.read(next, log.next, 1_000, 1_000_000)
    const last = messages.at(-1)
    if (last === undefined) return texts
    texts.push(...messages.map(({ sequenceNumber, payload }) => `${sequenceNumber}:${payload.toString()}`))
    next = last.sequenceNumber + 1
  }
}

/** The message of a failed result; undefined when it is not one. */
export function failureText(result: Result<unknown>): string | undefined {
  return result.ok ? undefined : result.failure.message
}
