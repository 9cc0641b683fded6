import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '../../../../component/base/fault.ts'
import { nodeCatalogueFiles, type CatalogueFiles } from '../../../../component/store/catalogue/catalogue-files.ts'
import { SNAPSHOT_BYTES_PER_SECOND, SNAPSHOT_INTERVAL_MS } from '../../../../component/store/catalogue/limits.ts'
import { createSnapshotWriter, readSnapshot } from '../../../../component/store/catalogue/snapshot.ts'
import { temporaryFolder } from '../../../helpers/catalogue-fixture.ts'
import { createFakeClock } from '../../../helpers/fake-clock.ts'
import { createRecordingLog } from '../../../helpers/recording-log.ts'

function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const clock = createFakeClock()
  const log = createRecordingLog()
  const disk = { isFull: false }
  let written: (() => void)[] = []
  let snapshots = 0
  const files: CatalogueFiles = {
    ...nodeCatalogueFiles,
    write: (path, chunks) =>
      disk.isFull ? Promise.reject(new Fault('ENOSPC')) : nodeCatalogueFiles.write(path, chunks),
    async syncFolder(path) {
      await nodeCatalogueFiles.syncFolder(path)
      snapshots += 1
      for (const resolve of written) resolve()
      written = []
    }
  }
  const entries = new Map<string, Buffer>()
  const options = { folder, clock, log, files, entries }
  return {
    folder,
    clock,
    log,
    disk,
    entries,
    options,
    writer: createSnapshotWriter(options),
    /** Resolves after the next snapshot. */
    nextSnapshot: () => new Promise<void>((resolve) => void written.push(resolve)),
    count: () => snapshots
  }
}

test('a definition is followed by a snapshot at once, other changes within a minute', async (t) => {
  const { clock, entries, writer, nextSnapshot, options, count } = setUp(t)
  entries.set('stream/1', Buffer.from('a'))
  const first = nextSnapshot()
  writer.changed(true)
  await clock.advanceAsync(0)
  await first
  assert.deepEqual(await readSnapshot(options), new Map([['stream/1', Buffer.from('a')]]))

  entries.set('export/1', Buffer.from('1'))
  await clock.advanceAsync(1)
  writer.changed(false)
  await clock.advanceAsync(SNAPSHOT_INTERVAL_MS - 2)
  writer.changed(false)
  assert.equal(count(), 1)
  const second = nextSnapshot()
  await clock.advanceAsync(1)
  await second
  assert.equal((await readSnapshot(options))?.get('export/1')?.toString(), '1')
  assert.equal(clock.pendingTimers, 0, 'nothing changed since')
  await writer.close()
  assert.equal(count(), 2)
})

test('snapshots of a large catalogue keep their distance', async (t) => {
  const { clock, entries, writer, nextSnapshot, count } = setUp(t)
  entries.set('stream/1', Buffer.alloc(10 * SNAPSHOT_BYTES_PER_SECOND))
  const first = nextSnapshot()
  writer.changed(true)
  await clock.advanceAsync(0)
  await first
  await clock.advanceAsync(0)
  writer.changed(true)
  await clock.advanceAsync(9_900)
  assert.equal(count(), 1)
  const second = nextSnapshot()
  await clock.advanceAsync(200)
  await second
  await writer.close()
})

test('closing writes what is not written yet, and only then', async (t) => {
  const { entries, writer, options, count } = setUp(t)
  entries.set('export/1', Buffer.from('9'))
  writer.changed(false)
  await writer.close()
  assert.equal((await readSnapshot(options))?.get('export/1')?.toString(), '9')
  assert.equal(count(), 1)
})

test('a full disk costs the snapshot alone; it is said once and made up for', async (t) => {
  const { clock, disk, log, entries, writer, nextSnapshot } = setUp(t)
  disk.isFull = true
  entries.set('stream/1', Buffer.from('a'))
  for (let round = 0; round < 3; round += 1) {
    writer.changed(true)
    await clock.advanceAsync(SNAPSHOT_INTERVAL_MS)
  }
  assert.equal(log.at('WARN').length, 1)
  disk.isFull = false
  const written = nextSnapshot()
  await clock.advanceAsync(SNAPSHOT_INTERVAL_MS)
  await written
  await writer.close()
  assert.equal(log.at('INFO').length, 1)
})

test('a damaged snapshot is replaced by the one before', async (t) => {
  const { folder, entries, options, log } = setUp(t)
  for (const value of ['old', 'new']) {
    entries.set('a', Buffer.from(value))
    const writer = createSnapshotWriter(options)
    writer.changed(false)
    await writer.close()
  }
  assert.equal((await readSnapshot(options))?.get('a')?.toString(), 'new')
  const path = join(folder, 'catalogue.snapshot')
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(1))
  assert.equal((await readSnapshot(options))?.get('a')?.toString(), 'old')
  assert.equal(log.at('WARN').length, 1)
  writeFileSync(`${path}.old`, '')
  assert.equal(await readSnapshot(options), undefined)
  assert.ok(existsSync(path), 'reading changes nothing')
})
