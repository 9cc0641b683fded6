/** What salvage finds beside the segments; tests of whole stores are in test/integration/tools.test.ts. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { runCommand } from '../../../component/cli/index.ts'
import { createLog, nodeDisk, openLog } from '../../../component/store/index.ts'
import { collectingSurroundings, runInProcess } from '../../helpers/command-run.ts'
import { logOptions, records, STREAM_ID } from '../../helpers/log-helpers.ts'

const FOLDER = `sensor-${STREAM_ID}`

/** A store with a stream from which a recovery has cut the messages 1 to 3: 1 was damaged, and 1 was given again. */
async function makeStore(t: TestContext): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'stream-manager-salvage-'))
  t.after(() => rmSync(root, { recursive: true }))
  const folder = join(root, 'streams-v1', 'streams', FOLDER)
  mkdirSync(folder, { recursive: true })
  const log = await createLog(logOptions(nodeDisk, folder))
  await log.append(records('durable'))
  await log.sync()
  const { state } = log
  await log.append(records('damaged', 'two', 'three'))
  log.close()
  const path = join(folder, '0000000000000000000.log')
  const bytes = readFileSync(path)
  bytes.write('DAMAGED', bytes.indexOf('damaged'))
  writeFileSync(path, bytes)
  const options = { ...logOptions(nodeDisk, folder), state, summaries: new Map(), sameBoot: false }
  const { log: again } = await openLog(options)
  await again.append(records('again'))
  await again.sync()
  again.close()
  return root
}

function textsIn(path: string): string[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const { sequence, payload } = JSON.parse(line) as { sequence: number; payload: string }
    return `${sequence}:${Buffer.from(payload, 'base64').toString()}`
  })
}

for (const isSetAside of [false, true]) {
  test(`what a recovery cut off is saved apart, ${isSetAside ? 'also in quarantine' : 'beside the stream'}`, async (t) => {
    const root = await makeStore(t)
    if (isSetAside) {
      mkdirSync(join(root, 'streams-v1', 'quarantine'))
      const setAside = join(root, 'streams-v1', 'quarantine', `${FOLDER}.1795542169652`)
      renameSync(join(root, 'streams-v1', 'streams', FOLDER), setAside)
    }
    const target = join(root, 'saved')
    const saved = await runInProcess('salvage', root, '--to', target)
    assert.equal(saved.err, '', saved.out)
    const name = isSetAside ? `set-aside-${FOLDER}.1795542169652.jsonl` : `${FOLDER}.jsonl`
    assert.deepEqual(readdirSync(target).sort(), [`cut-off-${name}`, name, 'salvage.json'].sort())
    assert.deepEqual(textsIn(join(target, name)), ['0:durable', '1:again'])
    assert.deepEqual(textsIn(join(target, `cut-off-${name}`)), ['2:two', '3:three'])
    assert.match(saved.out, /: 2 messages in .*; cut off earlier: 2 in cut-off-/)
    const { streams } = JSON.parse(readFileSync(join(target, 'salvage.json'), 'utf8')) as {
      streams: { cutOff: unknown }[]
    }
    assert.deepEqual(streams[0]?.cutOff, { savedAs: `cut-off-${name}`, messages: 2 })
  })
}

test('a copy of what was cut off that cannot be read is told and stops nothing', async (t) => {
  const root = await makeStore(t)
  const disk: typeof nodeDisk = {
    ...nodeDisk,
    openFile: (path, mode) => {
      if (path.endsWith('.corrupt')) throw new Fault('EIO: i/o error')
      return nodeDisk.openFile(path, mode)
    }
  }
  const { surroundings, out, err } = collectingSurroundings({ disk })
  const target = join(root, 'saved')
  assert.equal(await runCommand(['salvage', root, '--to', target, '--json'], surroundings), 2)
  assert.equal(err(), '')
  const { streams } = JSON.parse(out()) as { streams: { problems: { reason?: string }[] }[] }
  assert.ok(streams[0]?.problems.some(({ reason }) => reason === 'EIO: i/o error'))
  assert.deepEqual(textsIn(join(target, `${FOLDER}.jsonl`)), ['0:durable', '1:again'])
})
