import { describeError, Fault } from '../base/fault.ts'
import { hintFor } from '../base/nearest.ts'
import { countText } from '../base/quantities.ts'
import { startSequenceNumberOf, type ExportDefinition } from '../model/export-definition.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import type { StreamInfo } from '../model/stream-info.ts'
import type { StreamClient } from './client/client.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, withClient } from './client/open.ts'
import { EXIT, integerOption, parseArguments, UsageProblem, type Command } from './command.ts'
import { findNumberAt } from './find-number.ts'
import { parseMoment } from './text.ts'
import { without } from './without.ts'

const OPTIONS = { ...CONNECTION_OPTIONS, all: { type: 'boolean' } } as const

/** @throws Fault for an identifier that the stream does not have */
function requireExport({ name, exports }: StreamDefinition, identifier: string): ExportDefinition {
  const found = exports.find((item) => item.identifier === identifier)
  if (found !== undefined) return found
  const known = exports.map((item) => item.identifier)
  const list = known.length === 0 ? 'it has none' : `it has ${known.map((id) => JSON.stringify(id)).join(', ')}`
  throw new Fault(
    `${JSON.stringify(name)} has no export ${JSON.stringify(identifier)}${hintFor(identifier, known)}; ${list}`
  )
}

/** The definition with other exports where `isMeant`. */
function changed(
  definition: StreamDefinition,
  isMeant: (item: ExportDefinition) => boolean,
  change: (item: ExportDefinition) => ExportDefinition
): StreamDefinition {
  return { ...definition, exports: definition.exports.map((item) => (isMeant(item) ? change(item) : item)) }
}

/** `pause` and `resume`: the position of an export is kept, a request that is under way is completed (behaviour 3.7). */
function switching(name: string, disabled: boolean, summary: string, done: string): Command {
  return {
    name,
    usage: '<stream> (<export> | --all)',
    summary,
    details: [
      '<export> is its identifier, --all means all exports of the stream. Positions are kept.',
      ...CONNECTION_HELP
    ],
    options: OPTIONS,
    takes: 'streams',
    async run(args, surroundings) {
      const { values, positionals } = parseArguments(args, OPTIONS, [1, 2])
      const [stream = '', identifier] = positionals
      if ((identifier === undefined) !== (values.all === true)) throw new UsageProblem('it takes an export, or --all')
      return withClient(values, surroundings, async (client) => {
        const { definition } = await client.describe(stream)
        if (identifier !== undefined) requireExport(definition, identifier)
        const isMeant = (item: ExportDefinition): boolean =>
          (identifier === undefined || item.identifier === identifier) && (item.disabled ?? false) !== disabled
        const meant = definition.exports.filter(isMeant)
        if (meant.length > 0) await client.update(changed(definition, isMeant, (item) => ({ ...item, disabled })))
        for (const item of meant) surroundings.write(`export ${JSON.stringify(item.identifier)} ${done}\n`)
        if (meant.length === 0) surroundings.write(`nothing to do: already ${done}\n`)
        return EXIT.ok
      })
    }
  }
}

export const pause = switching('pause', true, 'pauses an export, or all exports of a stream', 'paused')
export const resume = switching('resume', false, 'lets a paused export go on', 'resumed')

const REPLAY_OPTIONS = {
  ...CONNECTION_OPTIONS,
  from: { type: 'string' },
  at: { type: 'string' },
  'dry-run': { type: 'boolean' }
} as const

/**
 * Moves the position by the change of startSequenceNumber (behaviour 3.7). One that is not changed moves nothing, so the
 * way to the same number leads over another one, during which the export is disabled.
 */
async function moveTo(client: StreamClient, info: StreamInfo, target: ExportDefinition, start: bigint): Promise<void> {
  const isMeant = (item: ExportDefinition): boolean => item.identifier === target.identifier
  const move = (to: bigint, disabled: boolean | undefined): StreamDefinition =>
    changed(info.definition, isMeant, (item) => {
      if (item.kind === 's3') return item
      const moved = { ...without(item, 'disabled'), startSequenceNumber: to }
      return disabled === undefined ? moved : { ...moved, disabled }
    })
  const isDetour = startSequenceNumberOf(target) === start
  if (isDetour) await client.update(move(start === 0n ? 1n : start - 1n, true))
  try {
    await client.update(move(start, target.disabled))
  } catch (error) {
    if (!isDetour) throw error
    throw new Fault(`the export is left paused, and has to be resumed: ${describeError(error)}`, error)
  }
}

/** `replay <stream> <export>`. */
export const replay: Command = {
  name: 'replay',
  usage: '<stream> <export> (--from <number> | --at <time>) [--dry-run]',
  summary: 'lets an export send again from a sequence number or a time on, or skip to it',
  details: [
    '--from <number>  the first message to send; older than the oldest means the oldest',
    '--at <time>      the first message appended at this time or later: 2026-11-24T17:00:00Z, or how long ago: 15m, 12h, 7d',
    '--dry-run        tells what would be sent, and changes nothing',
    'The destination gets messages a second time, or never gets the skipped ones. The newest message cannot be the first:',
    'the server takes only a number below it. S3 tasks cannot be replayed: append them again.',
    ...CONNECTION_HELP
  ],
  options: REPLAY_OPTIONS,
  takes: 'streams',
  async run(args, surroundings) {
    const { values, positionals } = parseArguments(args, REPLAY_OPTIONS, 2)
    const [stream = '', identifier = ''] = positionals
    const from = integerOption('from', values.from, 0, Number.MAX_SAFE_INTEGER)
    const timeMs = values.at === undefined ? undefined : parseMoment('--at', values.at, surroundings.clock.wallMs())
    if ((from === undefined) === (timeMs === undefined)) throw new UsageProblem('it takes --from or --at')
    return withClient(values, surroundings, async (client) => {
      const info = await client.describe(stream)
      const target = requireExport(info.definition, identifier)
      const { oldestSequenceNumber: oldest, newestSequenceNumber: newest } = info.storageStatus
      if (target.kind === 's3') throw new Fault('S3 tasks cannot be replayed: append them again')
      const start = Math.max(oldest, from ?? (await findNumberAt(client, info, timeMs ?? 0)))
      if (start >= newest)
        throw new Fault(`the first message to send must be older than the newest, ${newest}, and would be ${start}`)
      const isDryRun = values['dry-run'] === true
      if (!isDryRun) await moveTo(client, info, target, BigInt(start))
      const what = `${countText(newest + 1 - start, 'message')}, from number ${start} on`
      const paused = target.disabled === true ? ', once it is resumed' : ''
      surroundings.write(`export ${JSON.stringify(identifier)} ${isDryRun ? 'would send' : 'sends'} ${what}${paused}\n`)
      return EXIT.ok
    })
  }
}
