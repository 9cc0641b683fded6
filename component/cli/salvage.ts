import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { describeError, Fault } from '../base/fault.ts'
import type { Disk } from '../store/disk.ts'
import { inspectCutOff } from '../store/cut-off.ts'
import { VisitorFault, type LogProblem } from '../store/inspect-log.ts'
import { isMissingError } from '../store/system-error.ts'
import type { MessageVisitor } from '../store/inspect-segment.ts'
import { EXIT, parseArguments, UsageProblem, type Command } from './command.ts'
import { createLineWriter, createRawWriter } from './message-writer.ts'
import { openStoreReader, type OpenedStore, type StoredStream } from './store-reader.ts'
import { lostCount, reportStream, toJson, type StreamReport } from './stream-report.ts'

const SUMMARY_NAME = 'salvage.json'

/** What became of one stream. */
interface SalvagedStream extends Pick<StreamReport, 'name' | 'id' | 'folder' | 'setAside' | 'definition' | 'problems'> {
  /** Name of the file or folder with its messages; null when it has none. */
  readonly savedAs: string | null
  readonly messages: number
  readonly lost: number
  /** What a recovery had cut off: messages whose numbers may have been given again. */
  readonly cutOff: { readonly savedAs: string; readonly messages: number } | null
}

/** The path without links; of a path that is not there yet, that of the nearest folder that is. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path))
  }
}

/** @throws Fault unless the target is new or empty, and outside of the store */
function prepareTarget(disk: Disk, store: OpenedStore, target: string): void {
  const [real, storeFolder] = [realPath(target), realPath(store.folder)]
  if (real === storeFolder || real.startsWith(`${storeFolder}${sep}`)) {
    throw new Fault(`${target} lies in the store itself: salvage never changes that`)
  }
  disk.makeFolder(target)
  if (disk.listFolder(target).length > 0) throw new Fault(`${target} is not empty`)
}

/** Streams by name, by folder where they have no name, or all of them. */
function choose({ streams }: OpenedStore, wanted: readonly string[]): readonly StoredStream[] {
  const isMeant = ({ name, folder }: StoredStream, text: string): boolean =>
    name === text || (folder !== undefined && basename(folder) === text)
  for (const text of wanted) {
    if (!streams.some((stream) => isMeant(stream, text))) throw new Fault(`there is no stream ${JSON.stringify(text)}`)
  }
  return wanted.length === 0 ? streams : streams.filter((stream) => wanted.some((text) => isMeant(stream, text)))
}

/** A fault of the target is not one of the stream that is being read. */
function guarded(add: MessageVisitor): MessageVisitor {
  return async (message) => {
    try {
      await add(message)
    } catch (error) {
      throw error instanceof Fault ? new VisitorFault(describeError(error), error) : error
    }
  }
}

/** What a recovery had cut off a stream; a fault in reading it is one of the problems. */
async function saveCutOff(
  disk: Disk,
  { folder, streamId }: { readonly folder: string; readonly streamId: string },
  path: string,
  isRaw: boolean
): Promise<{ readonly cutOff: SalvagedStream['cutOff']; readonly problems: SalvagedStream['problems'] }> {
  const writer = isRaw ? createRawWriter(disk, path) : createLineWriter(disk, path)
  let messages = 0
  const problems: LogProblem[] = []
  const count: MessageVisitor = async (message) => {
    await writer.add(message)
    messages++
  }
  try {
    await inspectCutOff({ disk, folder, streamId }, guarded(count))
  } catch (error) {
    if (!(error instanceof Fault) || error instanceof VisitorFault) throw error
    // A running server may have removed it meanwhile.
    if (!isMissingError(error)) problems.push({ kind: 'unreadable', reason: error.message })
  }
  await writer.finish()
  return { cutOff: messages === 0 ? null : { savedAs: basename(path), messages }, problems }
}

async function saveStream(
  disk: Disk,
  store: OpenedStore,
  stream: StoredStream,
  target: string,
  isRaw: boolean
): Promise<SalvagedStream> {
  const prefix = stream.setAsideMs === undefined ? '' : 'set-aside-'
  const savedAs = `${prefix}${basename(stream.folder ?? stream.id)}${isRaw ? '' : '.jsonl'}`
  const path = join(target, savedAs)
  const writer = isRaw ? createRawWriter(disk, path) : createLineWriter(disk, path)
  const report = await reportStream(disk, store, stream, guarded(writer.add))
  await writer.finish()
  const found =
    stream.folder === undefined
      ? { cutOff: null, problems: [] }
      : await saveCutOff(
          disk,
          { folder: join(store.folder, stream.folder), streamId: stream.id },
          join(target, `cut-off-${savedAs}`),
          isRaw
        )
  const { name, id, folder, setAside, definition, messages } = report
  const problems = [...report.problems, ...found.problems]
  return {
    name,
    id,
    folder,
    setAside,
    definition,
    savedAs: messages === 0 ? null : savedAs,
    messages,
    lost: lostCount(problems),
    cutOff: found.cutOff,
    problems
  }
}

function exitCodeOf(streams: readonly SalvagedStream[]): number {
  const problems = streams.flatMap((stream) => stream.problems)
  if (problems.some(({ kind }) => kind === 'unreadable' || kind === 'newer')) return EXIT.failed
  return problems.length > 0 ? EXIT.problem : EXIT.ok
}

function textLine({ name, folder, savedAs, messages, lost, cutOff, problems }: SalvagedStream): string {
  const damage = problems.length === 0 ? '' : `; damaged places: ${problems.length}, known to be lost: ${lost}`
  const older = cutOff === null ? '' : `; cut off earlier: ${cutOff.messages} in ${cutOff.savedAs}`
  const title = JSON.stringify(name ?? folder ?? '')
  return `${title}: ${messages} message${messages === 1 ? '' : 's'}${savedAs === null ? '' : ` in ${savedAs}`}${damage}${older}\n`
}

const OPTIONS = {
  to: { type: 'string' },
  stream: { type: 'string', multiple: true },
  raw: { type: 'boolean' },
  json: { type: 'boolean' }
} as const

/** `salvage <root> --to <dir>`: writes all readable messages into a new folder. */
export const salvage: Command = {
  name: 'salvage',
  usage: '<root> --to <folder> [--stream <name>]… [--raw] [--json]',
  summary: 'writes every message that can be read into a new folder; changes nothing in the store',
  details: [
    '<root> is the folder of STREAM_MANAGER_STORE_ROOT_DIR, or a copy of it. <folder> must be new or empty.',
    'Each stream becomes a file of JSON lines: {"sequence":0,"time":"…","timeMs":0,"payload":"<Base64>"}.',
    'What a recovery had cut off goes to a file of its own, cut-off-…: its numbers may have been given again.',
    `${SUMMARY_NAME} in <folder> has the streams' names and definitions, and what is damaged.`,
    '--stream chooses a stream by name (or folder); it can be given more than once.',
    '--raw writes each payload to a file of its own instead, named by its number.',
    '--json prints the summary instead of text.',
    'Exit codes: 0 all was saved, 1 there is damage, 2 something cannot be read or written, 64 wrong arguments.'
  ],
  options: OPTIONS,
  takes: 'files',
  async run(args, { disk, write, workFolder }) {
    const { values, positionals } = parseArguments(args, OPTIONS, 1)
    if (values.to === undefined || values.to === '') throw new UsageProblem('--to is required')
    const target = resolve(workFolder, values.to)
    const store = openStoreReader(disk, resolve(workFolder, positionals[0] ?? ''))
    const chosen = choose(store, values.stream ?? [])
    prepareTarget(disk, store, target)
    const streams: SalvagedStream[] = []
    for (const stream of chosen) {
      const saved = await saveStream(disk, store, stream, target, values.raw === true)
      streams.push(saved)
      if (values.json !== true) write(textLine(saved))
    }
    const exitCode = exitCodeOf(streams)
    const summary = Buffer.from(`${toJson({ store: store.folder, streams, exitCode }, 2)}\n`)
    await writeSummary(disk, target, summary)
    if (values.json === true) write(summary.toString())
    return exitCode
  }
}

async function writeSummary(disk: Disk, target: string, summary: Buffer): Promise<void> {
  const file = disk.createFile(join(target, SUMMARY_NAME))
  try {
    await file.writeAsync([summary], 0)
    await file.sync()
  } finally {
    file.close()
  }
  await disk.syncFolder(target)
}
