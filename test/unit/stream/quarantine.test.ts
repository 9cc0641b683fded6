/** What is kept of folders that were set aside: reliability ST27. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Disk } from '../../../component/store/disk.ts'
import { createQuarantine, parseQuarantinedName } from '../../../component/stream/quarantine.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'
import { createFaultyDisk, failing } from '../../helpers/faulty-disk.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'
import { createSeededRandom } from '../../helpers/seeded-random.ts'

const MIB = 1024 * 1024
const COUNT_MAX = 16

function scene() {
  const disk = createFaultyDisk({ random: createSeededRandom(1) })
  const clock = createFakeClock()
  const logger = createRecordingLog()
  /** Bytes that a file claims to have, by its path in the quarantine. */
  const claimed = new Map<string, number>()
  const measured: Disk = {
    ...disk,
    openFile: (path, mode) => {
      const file = disk.openFile(path, mode)
      return { ...file, size: () => claimed.get(path) ?? file.size() }
    }
  }
  const quarantine = createQuarantine({ disk: measured, root: '/store', clock, logger })
  let ids = 0
  /** Sets a folder of the stream aside; later ones later. */
  const take = async (stream: string, bytes = 1): Promise<string> => {
    const folder = `${stream}-${(ids++).toString(16).padStart(16, '0')}`
    disk.makeFolder(`/store/streams/${folder}`)
    disk.damage(`/store/streams/${folder}/0000000000000000000.log`, Buffer.alloc(1))
    clock.advance(1)
    const path = await quarantine.take(`/store/streams/${folder}`, folder)
    claimed.set(`${path}/0000000000000000000.log`, bytes)
    quarantine.trim()
    return path
  }
  const kept = (): string[] => disk.listFolder('/store/quarantine').map(({ name }) => `/store/quarantine/${name}`)
  return { disk, clock, logger, quarantine, take, kept }
}

test('a folder is kept under its name and the time, also when there is one of that name and time', async () => {
  const { disk, clock, quarantine, kept } = scene()
  for (const text of ['first', 'second']) {
    disk.makeFolder('/store/streams/a.b-00')
    disk.damage('/store/streams/a.b-00/file', Buffer.from(text))
    await quarantine.take('/store/streams/a.b-00', 'a.b-00')
  }
  const names = [0, 1].map((later) => `a.b-00.${clock.wallMs() + later}`)
  assert.deepEqual(
    kept(),
    names.map((name) => `/store/quarantine/${name}`)
  )
  assert.equal(disk.contentOf(`/store/quarantine/${names[1]}/file`).toString(), 'second')
  assert.deepEqual(parseQuarantinedName(names[0]!), {
    name: names[0],
    streamFolder: 'a.b-00',
    setAsideMs: clock.wallMs()
  })
})

test('of many folders the oldest goes first, and it is said', async () => {
  const { take, kept, logger } = scene()
  const paths: string[] = []
  for (let round = 0; round < COUNT_MAX + 3; round++) paths.push(await take('a'))
  assert.deepEqual(kept().sort(), paths.slice(3).sort())
  assert.deepEqual(
    logger.at('WARN').map(({ fields }) => fields['folder']),
    paths.slice(0, 3)
  )
})

test('the newest folder of a stream is kept, however old it is', async () => {
  const { take, kept } = scene()
  const rare = await take('rare')
  for (let round = 0; round < 2 * COUNT_MAX; round++) await take('a')
  assert.ok(kept().includes(rare))
  assert.equal(kept().length, COUNT_MAX)
  const others = await Promise.all(Array.from({ length: COUNT_MAX }, (_, index) => take(`only ${index}`)))
  assert.deepEqual(
    others.filter((path) => !kept().includes(path)),
    []
  )
})

test('of large folders the oldest goes first, until they have at most 256 MiB together', async () => {
  const { take, kept } = scene()
  const first = await take('a', 100 * MIB)
  const second = await take('b', 100 * MIB)
  const third = await take('a', 57 * MIB)
  assert.deepEqual(kept().sort(), [second, third].sort())
  assert.ok(!kept().includes(first))
  assert.deepEqual(kept().length, 2)
})

test('of folders of many streams the oldest goes first beyond 64 of them, or 1 GiB', async () => {
  const { take, kept } = scene()
  const paths: string[] = []
  for (let index = 0; index < 70; index++) paths.push(await take(`stream ${index}`))
  assert.deepEqual(kept().sort(), paths.slice(-64).sort())
  const large = [await take('large 0', 600 * MIB), await take('large 1', 424 * MIB)]
  assert.deepEqual(kept(), [...large].sort())
  const larger = await take('larger', 1_100 * MIB)
  assert.deepEqual(kept(), [larger])
})

test('a quarantine that cannot be tidied is reported and stops nothing', async () => {
  const { take, disk, logger } = scene()
  for (let round = 0; round < COUNT_MAX; round++) await take('a')
  disk.rule = failing({ operation: 'remove' }, { code: 'EROFS' })
  await take('a')
  assert.match(String(logger.at('WARN')[0]?.fields['error']), /EROFS/)
})
