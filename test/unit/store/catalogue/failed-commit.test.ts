import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '../../../../component/base/fault.ts'
import { nodeCatalogueFiles } from '../../../../component/store/catalogue/catalogue-files.ts'
import {
  ABANDONED_GENERATIONS_MAX,
  COMMIT_DEADLINE_MS,
  RETRY_INTERVAL_MS
} from '../../../../component/store/catalogue/limits.ts'
import { change, openTestCatalogue, temporaryFolder, textEntries } from '../../../helpers/catalogue-fixture.ts'
import { createFakeClock } from '../../../helpers/fake-clock.ts'
import { createFaultyEngine } from '../../../helpers/faulty-engine.ts'

/** A catalogue with two entries on a database that can be told to fail, and a disk that can be told to be full. */
async function openFaulty(t: TestContext) {
  const folder = join(temporaryFolder(t), 'store')
  const engine = await createFaultyEngine()
  const clock = createFakeClock()
  const disk = { isFull: false }
  const files = {
    ...nodeCatalogueFiles,
    write: (path: string, chunks: Iterable<Uint8Array>) =>
      disk.isFull ? Promise.reject(new Fault(`cannot write ${path}: ENOSPC`)) : nodeCatalogueFiles.write(path, chunks)
  }
  const { catalogue, log } = await openTestCatalogue(folder, { engine, clock, files })
  await catalogue.commit([change('stream/1', 'old'), change('export/1', '1')])
  return { folder, engine, clock, catalogue, log, disk }
}

function generationsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^catalogue-\d+$/.test(name))
}

async function entriesAfterReopening(folder: string): Promise<Record<string, string>> {
  const { catalogue } = await openTestCatalogue(folder)
  assert.equal(catalogue.complete, true)
  const entries = textEntries(catalogue)
  await catalogue.close()
  return entries
}

for (const fault of ['reject', 'applyThenReject', 'throw'] as const) {
  test(`after a commit fails (${fault}) the next generation takes over and nobody hears of it`, async (t) => {
    const { folder, engine, catalogue, log } = await openFaulty(t)
    engine.failCommits(fault)
    await Promise.all([
      catalogue.commit([change('stream/2', 'new'), change('export/1')]),
      catalogue.commit([change('export/2', '7')])
    ])
    assert.equal(catalogue.fault, undefined)
    assert.equal(log.at('ERROR').length, 1)
    assert.deepEqual(generationsIn(folder), ['catalogue-2'])
    await catalogue.commit([change('export/3', '8')])
    await catalogue.close()
    assert.deepEqual(engine.forbiddenCalls, [])
    const expected = { 'export/2': '7', 'export/3': '8', 'stream/1': 'old', 'stream/2': 'new' }
    assert.deepEqual(await entriesAfterReopening(folder), expected)
  })
}

test('a commit that hangs is given up after the deadline, with all that waits behind it', async (t) => {
  const { folder, engine, clock, catalogue, log } = await openFaulty(t)
  engine.failCommits('hang')
  const hung = engine.nextHang()
  const committed = catalogue.commit([change('stream/2', 'new')])
  await hung
  const joined = catalogue.commit([change('stream/3', 'joined')])
  clock.advance(COMMIT_DEADLINE_MS - 1)
  assert.equal(log.at('ERROR').length, 0)
  clock.advance(1)
  await Promise.all([committed, joined])
  assert.match(String(log.at('ERROR')[0]?.fields['error']), /not done within 10 s/)
  await catalogue.close()
  assert.deepEqual(engine.forbiddenCalls, [])
  const expected = { 'export/1': '1', 'stream/1': 'old', 'stream/2': 'new', 'stream/3': 'joined' }
  assert.deepEqual(await entriesAfterReopening(folder), expected)
})

test('several generations in a row can fail', async (t) => {
  const { folder, engine, catalogue } = await openFaulty(t)
  for (let round = 0; round < 3; round += 1) {
    engine.failCommits('reject')
    await catalogue.commit([change(`round/${round}`, 'x')])
  }
  assert.deepEqual(generationsIn(folder), ['catalogue-4'])
  await catalogue.close()
  assert.equal(Object.keys(await entriesAfterReopening(folder)).length, 5)
})

test('when no generation can be written commits are refused, kept in memory, and made up for later', async (t) => {
  const { folder, engine, clock, catalogue, log, disk } = await openFaulty(t)
  disk.isFull = true
  engine.failCommits('reject')
  const waiting = [catalogue.commit([change('stream/2', 'a')]), catalogue.commit([change('export/1', '2')])]
  for (const commit of waiting)
    await assert.rejects(commit, (error) => error instanceof Fault && /ENOSPC/.test(error.message))
  assert.match(String(catalogue.fault?.message), /ENOSPC/)
  await assert.rejects(catalogue.commit([change('export/1', '3'), change('stream/1')]), Fault)
  const expected = { 'export/1': '3', 'stream/2': 'a' }
  assert.deepEqual(textEntries(catalogue), expected)

  clock.advance(RETRY_INTERVAL_MS)
  await assert.rejects(catalogue.commit([change('export/4', '4')]), Fault, 'the disk is still full')
  const complaints = log.at('ERROR').length
  disk.isFull = false
  clock.advance(RETRY_INTERVAL_MS)
  await catalogue.commit([change('export/5', '5')])
  assert.equal(catalogue.fault, undefined)
  assert.equal(log.at('ERROR').length, complaints, 'said once')
  await catalogue.close()
  assert.deepEqual(engine.forbiddenCalls, [])
  assert.deepEqual(await entriesAfterReopening(folder), { ...expected, 'export/4': '4', 'export/5': '5' })
})

test('a full disk can be waited for without end, failing databases only so long', async (t) => {
  const { engine, clock, catalogue, disk } = await openFaulty(t)
  const retry = async (index: number): Promise<void> => {
    clock.advance(RETRY_INTERVAL_MS)
    await assert.rejects(catalogue.commit([change('a', String(index))]), Fault)
  }
  engine.failCommits('reject', Infinity)
  disk.isFull = true
  await assert.rejects(catalogue.commit([change('a', '')]), Fault)
  for (let index = 0; index < 2 * ABANDONED_GENERATIONS_MAX; index += 1) await retry(index)
  assert.match(String(catalogue.fault?.message), /ENOSPC/)
  disk.isFull = false
  for (let index = 0; index < ABANDONED_GENERATIONS_MAX; index += 1) await retry(index)
  const opened = engine.opened.length
  await retry(0)
  assert.match(String(catalogue.fault?.message), /started again/)
  assert.equal(engine.opened.length, opened)
})

test('a catalogue whose file was removed is written anew', async (t) => {
  const { folder, catalogue } = await openFaulty(t)
  unlinkSync(join(folder, 'catalogue-1'))
  await catalogue.commit([change('stream/2', 'b')])
  await catalogue.close()
  assert.deepEqual(await entriesAfterReopening(folder), { 'export/1': '1', 'stream/1': 'old', 'stream/2': 'b' })
})

test('a folder that was put in the place of ours gets nothing', async (t) => {
  const { folder, engine, catalogue } = await openFaulty(t)
  renameSync(folder, `${folder}-moved`)
  mkdirSync(folder)
  engine.failCommits('reject')
  await assert.rejects(catalogue.commit([change('stream/2', 'b')]), /removed or replaced/)
  assert.deepEqual(generationsIn(folder), [])
})

test('closing waits for a hanging commit no longer than the deadline', async (t) => {
  const { engine, clock, catalogue } = await openFaulty(t)
  engine.failCommits('hang', Infinity)
  const hung = engine.nextHang()
  const committed = catalogue.commit([change('a', '1')])
  const outcome = assert.rejects(committed, Fault)
  await hung
  const closed = catalogue.close()
  engine.refusesOpen = true
  clock.advance(COMMIT_DEADLINE_MS)
  await closed
  await outcome
})

test('a database that does not close is left', async (t) => {
  const { folder, engine, clock, catalogue, log } = await openFaulty(t)
  engine.hangsOnClose = true
  const closed = catalogue.close()
  await clock.advanceAsync(COMMIT_DEADLINE_MS)
  await closed
  assert.equal(log.at('WARN').length, 1)
  assert.deepEqual(await entriesAfterReopening(folder), { 'export/1': '1', 'stream/1': 'old' })
})
