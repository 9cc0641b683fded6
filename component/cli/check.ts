import { resolve } from 'node:path'
import type { CatalogueInspection } from '../store/catalogue/index.ts'
import { catalogueLine, streamLines, summaryLine } from './check-text.ts'
import { EXIT, parseArguments, type Command } from './command.ts'
import { openStoreReader, type OpenedStore } from './store-reader.ts'
import { reportStream, toJson, type StreamReport } from './stream-report.ts'

const UNREADABLE_KINDS = ['unreadable', 'newer']

/** Worst first: what could not be read may hide damage. */
function exitCodeOf(catalogue: CatalogueInspection, streams: readonly StreamReport[]): number {
  const problems = streams.filter(({ setAside }) => setAside === null).flatMap((stream) => stream.problems)
  if (catalogue.state === 'newer' || problems.some(({ kind }) => UNREADABLE_KINDS.includes(kind))) return EXIT.failed
  // A store that has never held a stream has no catalogue that could be missed.
  const isCatalogueDamaged = catalogue.state === 'missing' ? streams.length > 0 : catalogue.state !== 'sound'
  return problems.length > 0 || isCatalogueDamaged ? EXIT.problem : EXIT.ok
}

function describeStore(store: OpenedStore) {
  const { folder, holder, catalogue, deletedFolders } = store
  const { state, reason, source, generation, snapshot, putAside, entries } = catalogue
  return {
    store: folder,
    runningServer: holder?.pid ?? null,
    catalogue: {
      state,
      reason: reason ?? null,
      source,
      generation: generation ?? null,
      records: entries.size,
      snapshot,
      putAside
    },
    deletedFolders
  }
}

const OPTIONS = { json: { type: 'boolean' } } as const

/** `check <root>`: what is in a store, and what of it is damaged. */
export const check: Command = {
  name: 'check',
  usage: '<root> [--json]',
  summary: 'tells what is in a store and what of it is damaged; changes nothing',
  details: [
    '<root> is the folder of STREAM_MANAGER_STORE_ROOT_DIR, or a copy of it. A server may run on it.',
    '--json prints one JSON document instead of text.',
    'Exit codes: 0 all is well, 1 there is damage, 2 something cannot be read, 64 wrong arguments.'
  ],
  options: OPTIONS,
  takes: 'files',
  async run(args, { disk, write, workFolder }) {
    const { values, positionals } = parseArguments(args, OPTIONS, 1)
    const store = openStoreReader(disk, resolve(workFolder, positionals[0] ?? ''))
    const streams: StreamReport[] = []
    if (values.json !== true) write(catalogueLine(store))
    for (const stream of store.streams) {
      const report = await reportStream(disk, store, stream)
      streams.push(report)
      if (values.json !== true) write(streamLines(report))
    }
    const exitCode = exitCodeOf(store.catalogue, streams)
    if (values.json === true) write(`${toJson({ ...describeStore(store), streams, exitCode }, 2)}\n`)
    else write(summaryLine(streams, exitCode))
    return exitCode
  }
}
