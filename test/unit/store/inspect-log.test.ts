/** What a look at a log says that changes nothing: reliability 1.4, ST13 to ST17, ST25. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from '../../../component/base/crc32.ts'
import { inspectLog, type LogInspection } from '../../../component/store/inspect-log.ts'
import { createLog, openLog } from '../../../component/store/index.ts'
import type { LogState } from '../../../component/store/stream-log.ts'
import { createFaultyDisk, failing, type FaultyDisk } from '../../helpers/faulty-disk.ts'
import { logOptions, records, STREAM_ID } from '../../helpers/log-helpers.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const FOLDER = '/log'
const RECORD_HEADER_BYTES = 24

interface Scene {
  readonly disk: FaultyDisk
  readonly state: LogState
}

/** A log with the numbers 0 to 9 in the segments 0, 4 and 8. */
async function threeSegments(): Promise<Scene> {
  const disk = createFaultyDisk({ random: createSeededRandom(1) })
  const log = await createLog(logOptions(disk, FOLDER))
  for (const texts of [
    ['a0', 'a1', 'a2', 'a3'],
    ['b4', 'b5', 'b6', 'b7'],
    ['c8', 'c9']
  ]) {
    if (texts[0] !== 'a0') await log.roll()
    await log.append(records(...texts))
  }
  await log.sync()
  const { state } = log
  log.close()
  return { disk, state }
}

const segment = (base: number): string => `${String(base).padStart(19, '0')}.log`
const pathOf = (base: number): string => `${FOLDER}/${segment(base)}`

async function inspect(
  scene: Scene,
  options: { readonly state?: LogState | undefined; readonly isLive?: boolean } = {}
): Promise<LogInspection & { readonly texts: string[] }> {
  const { isLive = false } = options
  const state = 'state' in options ? options.state : scene.state
  const texts: string[] = []
  const found = await inspectLog(
    { disk: scene.disk, folder: FOLDER, streamId: STREAM_ID, state, isLive },
    ({ sequenceNumber, payload }) => {
      texts.push(`${sequenceNumber}:${payload.toString()}`)
      return Promise.resolve()
    }
  )
  return { ...found, texts }
}

const ALL = ['a0', 'a1', 'a2', 'a3', 'b4', 'b5', 'b6', 'b7', 'c8', 'c9'].map((text, number) => `${number}:${text}`)
const without = (...numbers: number[]): string[] => ALL.filter((_, number) => !numbers.includes(number))

/** Changes the bytes of a segment. */
function change({ disk }: Scene, base: number, edit: (bytes: Buffer) => Buffer): void {
  disk.damage(pathOf(base), edit(disk.contentOf(pathOf(base))))
}

/** Flips a bit in the payload of a message of two bytes, counted from the first of its segment. */
function flipPayload(scene: Scene, base: number, index: number): void {
  change(scene, base, (bytes) => {
    const start = bytes.readUInt32LE(12) + index * (RECORD_HEADER_BYTES + 2)
    bytes[start + RECORD_HEADER_BYTES]! ^= 1
    return bytes
  })
}

test('a sound log has no problems, and nothing is changed by looking', async () => {
  const scene = await threeSegments()
  const before = scene.disk.paths.map((path) => [path, scene.disk.contentOf(path)])
  scene.disk.rule = ({ operation }) =>
    ['create', 'rename', 'remove', 'write', 'truncate', 'sync', 'syncFolder'].includes(operation)
      ? { code: 'EROFS' }
      : undefined
  const found = await inspect(scene)
  assert.deepEqual(found.texts, ALL)
  assert.deepEqual([found.problems, found.notes], [[], []])
  assert.deepEqual([found.messages, found.oldest, found.next, found.segments.length], [10, 0, 10, 3])
  assert.equal(found.bytes, 10 * (RECORD_HEADER_BYTES + 2))
  assert.deepEqual(
    scene.disk.paths.map((path) => [path, scene.disk.contentOf(path)]),
    before
  )
  assert.equal(scene.disk.openFiles, 0)
})

test('a flipped bit costs one message, told with file, offset and number', async () => {
  const scene = await threeSegments()
  flipPayload(scene, 4, 1)
  const { texts, problems, messages } = await inspect(scene)
  assert.deepEqual(texts, without(5))
  assert.equal(messages, 9)
  const offset = scene.disk.contentOf(pathOf(4)).readUInt32LE(12) + RECORD_HEADER_BYTES + 2
  const lost = { from: 5, to: 6 }
  assert.deepEqual(problems, [{ kind: 'damage', file: segment(4), offset, bytes: RECORD_HEADER_BYTES + 2, lost }])
})

test('damage at the end of a sealed segment is damage, at the end of the log a torn end unless it was durable', async () => {
  const scene = await threeSegments()
  flipPayload(scene, 0, 3)
  flipPayload(scene, 8, 1)
  const known = await inspect(scene)
  assert.deepEqual(known.texts, without(3, 9))
  assert.deepEqual(
    known.problems.map(({ file, lost }) => [file, lost]),
    [
      [segment(0), { from: 3, to: 4 }],
      [segment(8), { from: 9, to: 10 }]
    ]
  )
  const unknown = await inspect(scene, { state: undefined })
  assert.deepEqual(
    unknown.problems.map(({ lost }) => lost),
    [{ from: 3, to: 4 }]
  )
  assert.deepEqual(
    unknown.notes.map(({ kind, file }) => [kind, file]),
    [['tornEnd', segment(8)]]
  )
})

for (const [what, base, lost] of [
  ['the first', 0, { from: 0, to: 4 }],
  ['a middle', 4, { from: 4, to: 8 }],
  ['the last', 8, { from: 8, to: 10 }]
] as const) {
  test(`${what} segment is missed, and only by a catalogue at the ends of a log`, async () => {
    const scene = await threeSegments()
    scene.disk.removeFile(pathOf(base))
    assert.deepEqual((await inspect(scene)).problems, [{ kind: 'missing', lost }])
    const unknown = await inspect(scene, { state: undefined })
    assert.deepEqual(unknown.problems, base === 4 ? [{ kind: 'missing', lost }] : [])
  })
}

test('a damaged header costs no message, an emptied file all of its own', async () => {
  const scene = await threeSegments()
  change(scene, 0, (bytes) => bytes.fill(0xff, 0, 30))
  change(scene, 4, () => Buffer.alloc(0))
  const { texts, problems } = await inspect(scene)
  assert.deepEqual(texts, without(4, 5, 6, 7))
  assert.deepEqual(
    problems.map(({ kind, file, lost }) => [kind, file, lost]),
    [
      ['damage', segment(0), undefined],
      ['damage', segment(4), undefined],
      ['missing', undefined, { from: 4, to: 8 }]
    ]
  )
})

test('a segment that has its records but not its name is read in its place', async () => {
  const scene = await threeSegments()
  scene.disk.rename(pathOf(8), `${FOLDER}/spare.log`)
  const { texts, problems, notes } = await inspect(scene)
  assert.deepEqual([texts, problems], [ALL, []])
  assert.deepEqual(
    notes.map(({ kind }) => kind),
    ['unnamed']
  )
})

test('what retention had dropped is not counted', async () => {
  const scene = await threeSegments()
  const { texts, problems } = await inspect(scene, { state: { ...scene.state, oldest: 4 } })
  assert.deepEqual([texts, problems], [without(0, 1, 2, 3), []])
})

test('numbers that were given up on purpose are not lost, and the end before them is damage only if it does not verify', async () => {
  const { disk, state } = await threeSegments()
  const given = { ...state, next: 20 }
  const { log } = await openLog({ ...logOptions(disk, FOLDER), state: given, summaries: new Map(), sameBoot: true })
  await log.append(records('x'))
  const scene = { disk, state: log.state }
  log.close()
  const found = await inspect(scene)
  assert.deepEqual([found.texts, found.problems, found.next], [[...ALL, '20:x'], [], 21])
  flipPayload(scene, 8, 1)
  const damaged = await inspect(scene)
  assert.deepEqual(
    damaged.problems.map(({ kind, file, lost }) => [kind, file, lost]),
    [['damage', segment(8), undefined]]
  )
})

test('files of another stream, of a newer program, and those that the disk does not give are told apart', async () => {
  const scene = await threeSegments()
  change(scene, 0, (bytes) => {
    bytes.writeUInt16LE(9, 8)
    const header = bytes.subarray(0, bytes.readUInt32LE(12))
    header.writeUInt32LE(crc32(header.subarray(20), crc32(header.subarray(0, 16))), 16)
    return bytes
  })
  const log = await createLog(logOptions(scene.disk, '/other', { streamId: 'ffffffffffffffff' }))
  await log.append(records('foreign'))
  log.close()
  scene.disk.damage(pathOf(4), scene.disk.contentOf('/other/0000000000000000000.log'))
  scene.disk.rule = failing({ operation: 'open', path: pathOf(8) }, { code: 'EIO' })
  const { texts, problems } = await inspect(scene, { state: undefined })
  assert.deepEqual(texts, [])
  assert.deepEqual(
    problems.map(({ kind, file }) => [kind, file]),
    [
      ['newer', segment(0)],
      ['foreign', segment(4)],
      ['unreadable', segment(8)]
    ]
  )
})

test('while a server runs, a segment that has just been dropped and an end that is being written are no problems', async () => {
  const scene = await threeSegments()
  change(scene, 8, (bytes) => bytes.subarray(0, bytes.length - 1))
  scene.disk.rule = failing({ operation: 'open', path: pathOf(0) }, { code: 'ENOENT' })
  const live = await inspect(scene, {
    isLive: true,
    state: { ...scene.state, durable: { ...scene.state.durable, next: 9 } }
  })
  assert.deepEqual(live.problems, [])
  assert.deepEqual(live.texts, without(0, 1, 2, 3, 9))
  const still = await inspect(scene)
  assert.deepEqual(still.problems[0]?.kind, 'unreadable')
  scene.disk.rule = () => undefined
  scene.disk.removeFile(pathOf(0))
  assert.deepEqual((await inspect(scene, { isLive: true, state: undefined })).problems, [])
  assert.deepEqual(
    (await inspect(scene, { isLive: true, state: { ...scene.state, durable: { ...scene.state.durable, next: 9 } } }))
      .problems,
    []
  )
})

test('what recoveries left is noted', async () => {
  const scene = await threeSegments()
  scene.disk.damage(`${FOLDER}/copy.log`, Buffer.alloc(5))
  scene.disk.damage(`${pathOf(4)}.corrupt`, Buffer.alloc(7))
  assert.deepEqual(
    (await inspect(scene)).notes.map(({ kind, bytes }) => [kind, bytes]),
    [
      ['cut', 7],
      ['leftover', 5]
    ]
  )
})

test('every single flipped bit of a log is found, and costs at most the message it hits', async () => {
  const random = createSeededRandom(7)
  for (let round = 0; round < 200; round++) {
    const scene = await threeSegments()
    const base = [0, 4, 8][Math.floor(random.fraction() * 3)]!
    const { length } = scene.disk.contentOf(pathOf(base))
    const at = Math.floor(random.fraction() * length)
    change(scene, base, (bytes) => {
      bytes[at]! ^= 1 << Math.floor(random.fraction() * 8)
      return bytes
    })
    const { texts, problems } = await inspect(scene)
    assert.ok(problems.length > 0, `byte ${at} of ${segment(base)}`)
    assert.ok(texts.length >= 9, `byte ${at} of ${segment(base)} cost ${10 - texts.length} messages`)
    const lost = problems.flatMap((problem) => (problem.lost === undefined ? [] : [problem.lost.from]))
    assert.deepEqual(texts, without(...lost))
  }
})
