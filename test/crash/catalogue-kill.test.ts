/** SIGKILL at any moment while commits are being made (reliability 1.2, 8.1.2). */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import {
  change,
  openTestCatalogue,
  probeWithChild,
  temporaryFolder,
  textEntries
} from '../helpers/catalogue-fixture.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { firstOutput, killChild, spawnTypescript } from '../helpers/typescript-child.ts'

const CYCLES = Number(process.env['CATALOGUE_KILL_CYCLES'] ?? 12)

/** The catalogue after the commits 0 to `last` of catalogue-child.ts. */
function modelAfter(last: number): Record<string, string> {
  const entries: Record<string, string> = {}
  for (let number = 0; number <= last; number += 1) {
    entries['counter'] = String(number)
    entries[`log/${number % 50}`] = `${number} ${'x'.repeat((number * 37) % 900)}`
    Reflect.deleteProperty(entries, `log/${(number + 1) % 50}`)
    entries[number % 7 === 0 ? `stream/${number % 50}` : 'boot'] = String(number)
  }
  return entries
}

/** Lets a child commit until a few have been acknowledged and some time has passed; returns the last acknowledged. */
async function commitUntilKilled(folder: string, acknowledgements: number, killDelayMs: number): Promise<number> {
  const child = spawnTypescript('catalogue-child.ts', ['commit', folder], ['ignore', 'pipe', 'inherit'])
  const exit = once(child, 'exit')
  let last = -1
  let seen = 0
  for await (const line of createInterface({ input: child.stdout! })) {
    // The first line comes before any commit, right after the start.
    if (/^\d+$/.test(line)) last = Math.max(last, Number(line))
    if (seen === acknowledgements) setTimeout(() => child.kill('SIGKILL'), killDelayMs)
    seen += 1
  }
  const [, signal] = (await exit) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', 'the child works until it is killed')
  return last
}

test('a process killed while it starts leaves nothing that the next start cannot deal with', async (t) => {
  const folder = temporaryFolder(t)
  const { catalogue } = await openTestCatalogue(folder)
  await catalogue.commit([change('stream/1', 'x')])
  await catalogue.close()
  const random = createSeededRandom(21)
  for (let cycle = 0; cycle < CYCLES / 3; cycle += 1) {
    const child = spawnTypescript('catalogue-child.ts', ['open', ...Array.from({ length: 500 }, () => folder)])
    await firstOutput(child)
    await new Promise((resolve) => setTimeout(resolve, random.fraction() * 100))
    await killChild(child)
    const again = await openTestCatalogue(folder, { probe: probeWithChild })
    assert.equal(again.catalogue.complete, true)
    assert.deepEqual(textEntries(again.catalogue), { 'stream/1': 'x' })
    await again.catalogue.close()
  }
})

test('no acknowledged commit is lost and none is there in part, whenever the process is killed', async (t) => {
  const folder = temporaryFolder(t)
  const random = createSeededRandom(20)
  let acknowledged = -1
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const acknowledgements = 1 + Math.floor(random.fraction() * 40)
    acknowledged = Math.max(acknowledged, await commitUntilKilled(folder, acknowledgements, random.fraction() * 20))
    const { catalogue, log } = await openTestCatalogue(folder, { probe: probeWithChild })
    assert.equal(catalogue.complete, true)
    assert.deepEqual(log.at('ERROR'), [])
    const entries = textEntries(catalogue)
    const last = Number(entries['counter'])
    assert.ok(last >= acknowledged, `commit ${acknowledged} was acknowledged, ${last} is the last one there`)
    assert.deepEqual(entries, modelAfter(last))
    await catalogue.close()
  }
  t.diagnostic(`${CYCLES} kills, ${acknowledged} commits acknowledged`)
})
