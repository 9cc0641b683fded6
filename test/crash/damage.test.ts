/** The built server on damaged stores: reliability 1.4, ST13 to ST18, behaviour 14.10. */
import assert from 'node:assert/strict'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import {
  FILE_STREAMS,
  makeSampleStore,
  MEMORY_STREAM,
  runDamageCase,
  type DamageCase,
  type SampleStore
} from '../helpers/damage-fixture.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { filesBelow, hitNumbers, inflict, randomDamage, readSegment, type Damage } from '../helpers/store-damage.ts'

/** STREAM_MANAGER_TEST_SEED repeats a run; STREAM_MANAGER_DAMAGE_SCALE multiplies the cases. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const SCALE = Number(process.env['STREAM_MANAGER_DAMAGE_SCALE'] ?? 1)
const SEGMENT_ROUNDS = 14
const AT_A_TIME = 3
const FOLDER = 'streams-v1'
/** Where LMDB keeps anything in so small a catalogue; behind it are zeros. */
const CATALOGUE_BYTES_USED = 128 * 1024

const random = createSeededRandom(SEED)
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random.fraction() * items.length)]!
let stores: SampleStore[] = []

before(async () => {
  stores = await Promise.all([makeSampleStore(true), makeSampleStore(false)])
})

after(() => {
  for (const { root } of stores) rmSync(root, { recursive: true, force: true })
})

async function runAll(t: TestContext, cases: readonly DamageCase[]): Promise<void> {
  const waiting = [...cases]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await runDamageCase(next)
  }
  t.diagnostic(`seed ${SEED}, ${cases.length} starts`)
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
}

function segmentsOf(store: SampleStore, name: string): string[] {
  const folder = readdirSync(join(store.root, FOLDER, 'streams')).find((entry) => entry.startsWith(`${name}-`))
  assert.ok(folder !== undefined)
  const inFolder = `${join(FOLDER, 'streams', folder)}/`
  return filesBelow(store.root).filter((path) => path.startsWith(inFolder) && /\/\d+\.log$/.test(path))
}

function describeDamage({ path, kind, offset }: Damage): string {
  return `${kind} ${path} at ${offset}`
}

/** One segment of each stream but the last is damaged. */
function segmentCase(store: SampleStore, restarts: boolean): DamageCase {
  const losses = new Map<string, readonly number[]>()
  const damages = FILE_STREAMS.slice(0, -1).map((name) => {
    const path = pick(segmentsOf(store, name))
    const kind = pick(['flip', 'flip', 'flip', 'invert', 'truncate', 'truncate', 'empty', 'delete'] as const)
    const damage = randomDamage(random, path, kind, statSync(join(store.root, path)).size)
    losses.set(name, hitNumbers(readSegment(join(store.root, path)), damage))
    return damage
  })
  return {
    what: damages.map(describeDamage).join(', '),
    store,
    inflict: (root) => {
      for (const damage of damages) inflict(root, damage)
    },
    losses,
    restarts
  }
}

test('damage to segments costs the messages that it hits and nothing else', async (t) => {
  const cases = Array.from({ length: SEGMENT_ROUNDS * SCALE }, (_, round) =>
    segmentCase(stores[round % 2]!, round % 3 === 0)
  )
  await runAll(t, cases)
})

/** Damages of one file beside the segments. */
function fileCases(store: SampleStore, path: string): DamageCase[] {
  const isDatabase = /catalogue-\d+$/.test(path)
  const bytes = Math.min(statSync(join(store.root, path)).size, CATALOGUE_BYTES_USED)
  const times = (count: number, kind: Damage['kind']): Damage[] =>
    Array.from({ length: count * SCALE }, () => randomDamage(random, path, kind, bytes))
  const damages = [
    ...times(isDatabase ? 8 : 1, 'flip'),
    ...times(isDatabase ? 3 : 1, 'invert'),
    ...times(isDatabase ? 4 : 1, 'truncate'),
    randomDamage(random, path, 'empty', 0),
    randomDamage(random, path, 'delete', 0)
  ]
  return damages.map((damage) => ({
    what: describeDamage(damage),
    store,
    inflict: (root) => inflict(root, damage),
    losses: new Map()
  }))
}

test('damage to any other file of the store costs no message and no definition', async (t) => {
  const cases = stores.flatMap((store) =>
    filesBelow(store.root)
      .filter((path) => dirname(path) === FOLDER)
      .flatMap((path) => fileCases(store, path))
  )
  await runAll(t, cases)
})

test('without its catalogue, and without any snapshot of it, a store has lost only its memory streams', async (t) => {
  const cases = stores.map((store): DamageCase => ({
    what: 'no catalogue',
    store,
    inflict: (root) => {
      for (const name of readdirSync(join(root, FOLDER)).filter((entry) => entry.startsWith('catalogue')))
        rmSync(join(root, FOLDER, name))
    },
    losses: new Map(),
    goneStreams: [MEMORY_STREAM],
    restarts: true
  }))
  await runAll(t, cases)
})

test('a stream whose folder is gone goes on empty, with fresh numbers', async (t) => {
  const [store] = stores
  assert.ok(store !== undefined)
  const folder = dirname(segmentsOf(store, 'three')[0]!)
  const numbers = store.messages.get('three')?.map(([number]) => number) ?? []
  const losses = new Map([['three', numbers]])
  await runAll(t, [
    {
      what: 'no folder',
      store,
      inflict: (root) => rmSync(join(root, folder), { recursive: true }),
      losses,
      restarts: true
    }
  ])
})
