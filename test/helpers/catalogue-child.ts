/**
 * A process for tests of the catalogue that may be killed, by the test or by LMDB.
 *
 *     probe <path>          ends with 0 when the database is sound
 *     open <folder>…        opens and closes each catalogue; prints a line of JSON with what was in it
 *     commit <folder>       commits without end; prints the number of each commit that is done, one per line
 */
import { systemClock } from '../../component/base/clock.ts'
import { openCatalogue, probeCatalogue, type Catalogue } from '../../component/store/catalogue/index.ts'
import { change, probeWithChild, textEntries } from './catalogue-fixture.ts'
import { createRecordingLog } from './recording-log.ts'

function open(folder: string, log = createRecordingLog()): Promise<Catalogue> {
  return openCatalogue({ folder, clock: systemClock, log, probe: probeWithChild })
}

async function openAll(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const log = createRecordingLog()
    const catalogue = await open(folder, log)
    const { complete } = catalogue
    const entries = textEntries(catalogue)
    await catalogue.close()
    process.stdout.write(`${JSON.stringify({ folder, complete, errors: log.at('ERROR').length, entries })}\n`)
  }
}

/**
 * Commit number n sets `counter` to n, `log/<n mod 50>` to n, and removes `log/<n + 1 mod 50>`, so that each state shows
 * whether it is the whole effect of a commit. Several are under way at a time.
 */
async function commitForever(folder: string): Promise<void> {
  const catalogue = await open(folder)
  let next = Number(catalogue.entries().get('counter')?.toString() ?? '-1') + 1
  process.stdout.write(`start ${next}\n`)
  const worker = async (): Promise<void> => {
    for (;;) {
      const number = next++
      const key = number % 7 === 0 ? `stream/${number % 50}` : 'boot'
      await catalogue.commit([
        change('counter', String(number)),
        change(`log/${number % 50}`, `${number} ${'x'.repeat((number * 37) % 900)}`),
        change(`log/${(number + 1) % 50}`),
        change(key, String(number))
      ])
      process.stdout.write(`${number}\n`)
    }
  }
  await Promise.all([worker(), worker(), worker()])
}

const [mode, ...args] = process.argv.slice(2)
const [first = ''] = args
if (mode === 'probe') process.exit((await probeCatalogue(first)) ? 0 : 1)
else if (mode === 'open') await openAll(args)
else await commitForever(first)
