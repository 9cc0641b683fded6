import type { LogNote, LogProblem } from '../store/inspect-log.ts'
import { EXIT } from './command.ts'
import type { OpenedStore } from './store-reader.ts'
import { lostCount, type ExportReport, type StreamReport } from './stream-report.ts'

/** Problems of one stream that are printed; `--json` has all of them. */
const LINES_MAX = 20

const NOTE_TEXTS: Readonly<Record<LogNote['kind'], string>> = {
  tornEnd: 'an unfinished end, which the next start removes',
  unnamed: 'a segment that has not got its name yet',
  leftover: 'left over, which the next start removes or retention does',
  cut: 'cut off by an earlier recovery'
}

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`

/** A name from the disk or a client, safe for a terminal. */
const quoted = (text: string | null): string => (text === null ? '(no name)' : JSON.stringify(text))

/** The head of the text: store, server, catalogue. */
export function catalogueLine({ folder, holder, catalogue, deletedFolders }: OpenedStore): string {
  const { state, reason, source, generation, snapshot, putAside, entries } = catalogue
  const server =
    holder === undefined
      ? 'no server runs on it'
      : `a server runs on it (process ${holder.pid}): the figures are of one moment each`
  const lines = [
    `store ${folder}`,
    `  ${server}`,
    `  catalogue: ${state}${reason === undefined ? '' : ` (${reason})`}, ${count(entries.size, 'record')} from ${source}` +
      `${generation === undefined ? '' : `, generation ${generation}`}; snapshot ${snapshot}`
  ]
  if (putAside.length > 0) lines.push(`  damaged catalogues put aside earlier: ${putAside.join(', ')}`)
  if (deletedFolders.length > 0)
    lines.push(`  folders of deleted streams still to be removed: ${deletedFolders.length}`)
  return `${lines.join('\n')}\n`
}

function exportLine({ identifier, kind, disabled, next, processedMessages, lastExport }: ExportReport): string {
  const position = next === null ? 'nothing sent yet' : `next ${next.toString()}, ${processedMessages} processed`
  const last = lastExport === null ? '' : `, last attempt ${lastExport}`
  return `  export ${quoted(identifier)} (${kind}${disabled ? ', disabled' : ''}): ${position}${last}`
}

function problemLine({ kind, file, offset, bytes, lost, reason }: LogProblem): string {
  const place = file === undefined ? '' : ` ${file}`
  const span = offset === undefined ? '' : ` at byte ${offset}, ${count(bytes ?? 0, 'byte')}`
  const numbers =
    lost === undefined
      ? ''
      : `; lost: ${lost.to - lost.from === 1 ? `number ${lost.from}` : `numbers ${lost.from} to ${lost.to - 1}`}`
  return `  ${kind.toUpperCase()}:${place}${span}${numbers}${reason === undefined ? '' : ` ${reason}`}`
}

function noteLine({ kind, file, offset, bytes }: LogNote): string {
  return `  note: ${file} at byte ${offset}, ${count(bytes, 'byte')}: ${NOTE_TEXTS[kind]}`
}

/** All about one stream. */
export function streamLines(report: StreamReport): string {
  const { name, folder, persistence, setAside, messages, bytes, oldest, next, segments, problems, notes } = report
  const what = setAside === null ? 'stream' : `set aside ${setAside}:`
  const range = messages === 0 ? `next number ${next}` : `numbers ${oldest} to ${next - 1}`
  const lines = [
    `${what} ${quoted(name)}: ` +
      (persistence === 'memory'
        ? 'in memory, no messages on the disk'
        : `${count(messages, 'message')}, ${count(bytes, 'byte')}, ${range}, ${count(segments.length, 'segment')}`)
  ]
  if (folder !== null) lines.push(`  in ${JSON.stringify(folder)}`)
  if (report.definitionFrom === 'folder' && setAside === null)
    lines.push('  its definition is the copy in its folder: the catalogue has none')
  lines.push(...report.exports.map(exportLine))
  lines.push(...problems.slice(0, LINES_MAX).map(problemLine))
  if (problems.length > LINES_MAX) lines.push(`  … and ${problems.length - LINES_MAX} more places; --json has them`)
  lines.push(...notes.map(noteLine))
  return `${lines.join('\n')}\n`
}

/** The last line. */
export function summaryLine(streams: readonly StreamReport[], exitCode: number): string {
  const inPlace = streams.filter(({ setAside }) => setAside === null)
  const messages = inPlace.reduce((sum, stream) => sum + stream.messages, 0)
  const lost = inPlace.reduce((sum, { problems }) => sum + lostCount(problems), 0)
  const verdict =
    exitCode === EXIT.ok
      ? 'no damage'
      : `${exitCode === EXIT.problem ? 'DAMAGE' : 'NOT ALL COULD BE READ'}, ${count(lost, 'message')} known to be lost`
  const aside = streams.length - inPlace.length
  return `${count(inPlace.length, 'stream')}, ${count(messages, 'message')}${aside > 0 ? `, ${aside} set aside` : ''}: ${verdict}\n`
}
