/** The built server on real small file systems that are full: reliability 3.5, 8.4, ST1 to ST5. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import type { Random } from '../../component/base/random.ts'
import { FullDiskScene } from '../helpers/full-disk-scene.ts'
import { openHttpEndpoint } from '../helpers/http-endpoint.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { openSmallDisk, type SmallDiskOptions } from '../helpers/small-disk.ts'

/** STREAM_MANAGER_TEST_SEED repeats a run; STREAM_MANAGER_FULL_DISKS is the number of rounds on each file system. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const ROUNDS = Number(process.env['STREAM_MANAGER_FULL_DISKS'] ?? 3)
const MIB = 1024 * 1024
/** Less than one block, to all that a few appends need. */
const LEFT_BYTES = [0, 4_096, 100_000, 1_500_000]

type Fault = 'others take the space' | 'others take the inodes' | 'a stream takes the space'

async function runRound(
  scene: FullDiskScene,
  random: Random,
  fault: Fault,
  fill: (free: number) => void
): Promise<void> {
  for (const name of scene.acknowledged.keys()) await scene.append(name, 5, 1 + Math.floor(random.fraction() * 2_000))
  if (fault === 'others take the space') fill(LEFT_BYTES[Math.floor(random.fraction() * LEFT_BYTES.length)]!)
  else if (fault === 'others take the inodes') scene.fillInodes()
  await scene.appendUntilRefused('large')
  for (const name of ['flushed', 'exported', 'overwriting']) await scene.append(name, 10, 3_000)
  await scene.work(random)
  await scene.verify()
  if (random.fraction() < 0.6) {
    await scene.stop(random.fraction() < 0.6 ? 'SIGKILL' : 'SIGTERM')
    await scene.start()
    await scene.verify()
    await scene.work(random)
  }
  if (fault === 'a stream takes the space') {
    await scene.delete('large')
    await scene.create('large')
  }
  scene.empty()
  await scene.untilAppendsWork()
  await scene.verify()
  // The disk is not to be full of what earlier rounds left.
  await scene.delete('large')
  await scene.create('large')
}

async function runRounds(
  t: TestContext,
  options: SmallDiskOptions,
  reserveBytes: number,
  faults: Fault[]
): Promise<void> {
  const disk = openSmallDisk(options)
  if (disk === undefined) {
    t.diagnostic('nothing can be mounted here: the tests with injected errors have to do (unit/store, unit/stream)')
    return
  }
  const endpoint = await openHttpEndpoint()
  const scene = new FullDiskScene(disk, endpoint, reserveBytes)
  t.after(async () => {
    await scene.dispose()
    await endpoint.close()
    disk.dispose()
  })
  const random = createSeededRandom(SEED)
  await scene.start()
  await scene.createAll()
  for (let round = 0; round < ROUNDS; round++) {
    const fault = faults[Math.floor(random.fraction() * faults.length)]!
    try {
      await runRound(scene, random, fault, (free) => disk.fill(free))
    } catch (error) {
      throw new Error(`round ${round} of seed ${SEED}, ${fault}: ${String(error)}\n${scene.output()}`, { cause: error })
    }
  }
  await scene.stop('SIGTERM')
  t.diagnostic(`${disk.kind}, seed ${SEED}, ${ROUNDS} rounds, ${scene.refused} appends refused`)
  assert.ok(scene.refused >= ROUNDS, 'the disk was full in every round')
}

const BOTH: Fault[] = ['others take the space', 'a stream takes the space']

test('a full ext4 costs no message; reads and exports go on, and appends come back by themselves', (t) =>
  runRounds(t, { bytes: 26 * MIB }, MIB, BOTH))

test('the same without any reserve, so that the file system itself refuses', (t) =>
  runRounds(t, { bytes: 24 * MIB }, 1, BOTH))

test('the same on a tmpfs', (t) => runRounds(t, { bytes: 22 * MIB, kind: 'tmpfs' }, 1, BOTH))

test('without free inodes appends are refused, and come back by themselves', (t) =>
  runRounds(t, { bytes: 24 * MIB, inodes: 512 }, 1, ['others take the inodes']))
