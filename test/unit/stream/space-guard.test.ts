import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DISK_CHECK_BYTES, DISK_CHECK_INTERVAL_MS, DISK_RESERVE_BYTES } from '../../../component/base/limits.ts'
import { Fault } from '../../../component/base/fault.ts'
import { createMemoryDisk } from '../../../component/store/index.ts'
import { createSpaceGuard } from '../../../component/stream/space-guard.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'

function scene(reserveBytes?: number) {
  const clock = createFakeClock()
  const logger = createRecordingLog()
  const free = { bytes: 10 * DISK_RESERVE_BYTES, inodes: 1_000 }
  const size = { bytes: 0, inodes: 0 }
  let looks = 0
  let fault: Fault | undefined
  const disk = {
    ...createMemoryDisk({ bytesMax: 1 }),
    freeSpace: () => {
      looks += 1
      if (fault !== undefined) throw fault
      return { ...free, size }
    }
  }
  const guard = createSpaceGuard({ disk, folder: '/store', reserveBytes, clock, logger })
  const fail = (next: Fault | undefined): void => void (fault = next)
  return { clock, logger, guard, free, size, fail, looks: () => looks }
}

test('below the reserve of bytes or inodes appends are refused, and the text says which', () => {
  const { guard, free } = scene()
  assert.equal(guard.shortage(1), undefined)
  free.bytes = DISK_RESERVE_BYTES - 1
  guard.recheck()
  assert.match(
    guard.shortage(1) ?? '',
    /^no space left on the device: \d+ bytes are free, and 16777216 are kept in reserve$/
  )
  free.bytes = DISK_RESERVE_BYTES
  free.inodes = 63
  guard.recheck()
  assert.match(guard.shortage(1) ?? '', /63 inodes/)
})

test('the disk is looked at every 8 MiB or 5 s, not at every append', () => {
  const { guard, clock, looks } = scene()
  for (let append = 0; append < 1_000; append += 1) guard.shortage(1_000)
  assert.equal(looks(), 1)
  guard.shortage(DISK_CHECK_BYTES)
  assert.equal(looks(), 2)
  clock.advance(DISK_CHECK_INTERVAL_MS)
  guard.shortage(1)
  assert.equal(looks(), 3)
})

test('appends go on within a second of space, which is said once each way', () => {
  const { guard, clock, free, logger, looks } = scene()
  free.bytes = 0
  for (let append = 0; append < 100; append += 1) guard.shortage(1)
  assert.equal(looks(), 1)
  clock.advance(10_000)
  guard.shortage(1)
  free.bytes = 10 * DISK_RESERVE_BYTES
  clock.advance(999)
  assert.equal(guard.shortage(1), undefined)
  assert.equal(guard.shortage(1), undefined)
  assert.deepEqual(
    logger.entries.map(({ level }) => level),
    ['ERROR', 'INFO']
  )
})

test('freed space is noticed at once when somebody says so', () => {
  const { guard, free } = scene()
  free.bytes = 0
  assert.notEqual(guard.shortage(1), undefined)
  free.bytes = 10 * DISK_RESERVE_BYTES
  assert.notEqual(guard.shortage(1), undefined)
  guard.recheck()
  assert.equal(guard.shortage(1), undefined)
})

test('free space that cannot be read refuses nothing and is reported once', () => {
  const { guard, clock, fail, logger } = scene()
  fail(new Fault('cannot read'))
  for (let look = 0; look < 5; look += 1) {
    assert.equal(guard.shortage(1), undefined)
    clock.advance(DISK_CHECK_INTERVAL_MS)
  }
  assert.equal(logger.at('WARN').length, 1)
})

test('of a large file system a hundredth stays free, of bytes and of inodes', () => {
  const { guard, free, size } = scene()
  size.bytes = 100_000 * DISK_CHECK_BYTES
  size.inodes = 100_000
  for (const [bytes, inodes, isShort] of [
    [1_000 * DISK_CHECK_BYTES, 1_000, false],
    [1_000 * DISK_CHECK_BYTES - 1, 1_000, true],
    [1_000 * DISK_CHECK_BYTES, 999, true]
  ] as const) {
    Object.assign(free, { bytes, inodes })
    guard.recheck()
    assert.equal(guard.shortage(1) !== undefined, isShort, `${bytes} and ${inodes} free`)
  }
})

test('a reserve that was asked for counts instead, and a small one is looked after more often', () => {
  const MIB = 1024 * 1024
  const { guard, free, size, looks } = scene(MIB)
  size.bytes = 100_000 * MIB
  free.bytes = MIB
  assert.equal(guard.shortage(1), undefined)
  guard.shortage(MIB / 2)
  assert.equal(looks(), 2)
  free.bytes = MIB - 1
  guard.recheck()
  assert.match(guard.shortage(1) ?? '', /1048575 bytes are free, and 1048576 are kept/)
})

test('of a file system with few inodes an eighth stays free', () => {
  const { guard, free, size } = scene()
  for (const [all, kept] of [
    [40, 5],
    [512, 64],
    [2_000, 64]
  ] as const) {
    size.inodes = all
    for (const inodes of [kept, kept - 1]) {
      free.inodes = inodes
      guard.recheck()
      assert.equal(guard.shortage(1) !== undefined, inodes < kept, `${inodes} of ${all} are free`)
    }
  }
})
