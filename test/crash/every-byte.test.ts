/**
 * Damage at every place of a small store (reliability 1.4, ST13 to ST17, 8.5): each byte changed in turn, each file cut to
 * each length. The streams are opened by the code of the store over the bytes of a real one.
 */
import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'
import { createFakeCatalogue } from '../helpers/fake-catalogue.ts'
import { createFaultyDisk } from '../helpers/faulty-disk.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { hitNumbers, recordsOf, type Damage, type StoredRecord } from '../helpers/store-damage.ts'
import {
  append,
  definitionOf,
  openScene,
  readAllTexts,
  restart,
  STORE,
  streamOf,
  type StreamScene
} from '../helpers/stream-scene.ts'

/** STREAM_MANAGER_TEST_SEED repeats a run; STREAM_MANAGER_EVERY_BYTE=1 takes every place. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const STRIDE = process.env['STREAM_MANAGER_EVERY_BYTE'] === '1' ? 1 : 31
const SEGMENT = /^\d{19}\.log$/
const NAMES = ['a', 'b', 'c'] as const

/** A store after an orderly stop. */
interface Store {
  readonly files: ReadonlyMap<string, Buffer>
  readonly catalogue: ReadonlyMap<string, Buffer>
  /** `number:text` of all messages, by stream. */
  readonly texts: ReadonlyMap<string, readonly string[]>
  /** The folder of each stream. */
  readonly folders: ReadonlyMap<string, string>
}

function folderOf(scene: StreamScene, name: string): string {
  const { id } = streamOf(scene, name)
  return scene.disk.paths.map(dirname).find((folder) => folder.endsWith(id))!
}

async function makeStore(): Promise<Store> {
  const scene = await openScene()
  for (const name of NAMES) {
    await scene.registry.create(definitionOf(name))
    // One has a copy of its definition beside its segments.
    if (name === 'b') await scene.registry.update(definitionOf(name, { segmentSizeBytes: 1_024 }))
    for (let count = 0; count < 40; count++)
      await append(scene, name, `${name}${count}`.padEnd((count * 37) % 220, name))
  }
  const texts = new Map<string, string[]>()
  for (const name of NAMES) texts.set(name, await readAllTexts(scene, name))
  const folders = new Map(NAMES.map((name) => [name, folderOf(scene, name)]))
  await scene.registry.stop()
  const files = new Map(scene.disk.paths.map((path) => [path, scene.disk.contentOf(path)]))
  return { files, catalogue: scene.catalogue.durable, texts, folders }
}

/** How the store comes to be opened. */
interface Start {
  readonly sameBoot: boolean
  readonly isCatalogueLost: boolean
}

const STARTS: readonly Start[] = [
  { sameBoot: true, isCatalogueLost: false },
  { sameBoot: false, isCatalogueLost: false },
  { sameBoot: true, isCatalogueLost: true },
  { sameBoot: false, isCatalogueLost: true }
]

function open(store: Store, damage: Damage, { sameBoot, isCatalogueLost }: Start): Promise<StreamScene> {
  const disk = createFaultyDisk({ random: createSeededRandom(1) })
  for (const [path, content] of store.files) {
    disk.makeFolder(dirname(path))
    const bytes = Buffer.from(
      path === damage.path && damage.kind === 'truncate' ? content.subarray(0, damage.offset) : content
    )
    if (path === damage.path && damage.kind === 'flip') bytes[damage.offset]! ^= 1 << (damage.offset % 8)
    disk.damage(path, bytes)
  }
  const catalogue = createFakeCatalogue(isCatalogueLost ? new Map() : store.catalogue)
  return openScene({ disk, catalogue: Object.assign(catalogue, { complete: !isCatalogueLost }), sameBoot })
}

function lostNumbers(store: Store, damage: Damage): readonly number[] {
  return SEGMENT.test(basename(damage.path)) ? hitNumbers(recordsOf(store.files.get(damage.path)!), damage) : []
}

const startsAt =
  (offset: number) =>
  ({ start }: StoredRecord): boolean =>
    start === offset || offset === 0

/** Opens the damaged store: what was not hit is there, numbers go on, and the losses are reported. */
async function check(store: Store, damage: Damage, start: Start): Promise<void> {
  const lost = lostNumbers(store, damage)
  const hit = NAMES.find((name) => dirname(damage.path) === store.folders.get(name))
  const scene = await open(store, damage, start)
  assert.deepEqual(scene.registry.list(), NAMES)
  const expected = new Map<string, string[]>()
  for (const name of NAMES) {
    const all = store.texts.get(name)!
    const kept = name === hit ? all.filter((_, number) => !lost.includes(number)) : [...all]
    assert.deepEqual(await readAllTexts(scene, name), kept, `messages of ${name}`)
    const isEndLost = name === hit && lost.includes(all.length - 1)
    const { next } = streamOf(scene, name).log
    if (!(start.isCatalogueLost && isEndLost)) assert.equal(next, all.length, `next number of ${name}`)
    expected.set(name, [...kept, `${next}:fresh`])
  }
  const reports = scene.logger.entries.filter(({ level }) => level === 'ERROR' || level === 'WARN')
  // A cut between two records of a segment that the catalogue describes looks like its end, and an empty file like one
  // without records: only `check` finds them.
  const isBetween =
    lost.length > 0 &&
    damage.kind === 'truncate' &&
    recordsOf(store.files.get(damage.path)!).some(startsAt(damage.offset))
  const isTold = start.isCatalogueLost || !isBetween
  if (lost.length > 0 && isTold) {
    const where = [hit, damage.path, dirname(damage.path)]
    const isNamed = reports.some(({ fields }) => Object.values(fields).some((value) => where.includes(String(value))))
    assert.ok(isNamed, `nobody says that messages of ${String(hit)} are lost: ${JSON.stringify(reports)}`)
  }
  for (const name of NAMES) await append(scene, name, 'fresh')
  const later = await restart(scene)
  for (const name of NAMES) assert.deepEqual(await readAllTexts(later, name), expected.get(name), `${name} later`)
  await later.registry.stop()
}

for (const kind of ['flip', 'truncate'] as const) {
  test(`${kind === 'flip' ? 'a changed byte' : 'a cut'} anywhere costs at most the message it hits`, async (t) => {
    const store = await makeStore()
    const phase = SEED % STRIDE
    let place = 0
    let cases = 0
    for (const [path, content] of store.files) {
      for (let offset = 0; offset < content.length; offset++, place++) {
        if (place % STRIDE !== phase) continue
        const start = STARTS[cases % STARTS.length]!
        cases += 1
        try {
          await check(store, { path, kind, offset }, start)
        } catch (error) {
          const what = `${kind} ${path.slice(STORE.length)} at ${offset}, ${JSON.stringify(start)}, seed ${SEED}`
          throw new Error(`${what}: ${String(error)}`, { cause: error })
        }
      }
    }
    const bytes = [...store.files.values()].reduce((sum, content) => sum + content.length, 0)
    t.diagnostic(`seed ${SEED}: ${cases} starts over ${store.files.size} files of ${bytes} bytes`)
    assert.ok(cases > bytes / STRIDE - 1)
  })
}
