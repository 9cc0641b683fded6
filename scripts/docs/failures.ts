import { HTTP, IOT_ANALYTICS, S3 } from './failure-rows-others.ts'
import { EVERY_DESTINATION, KINESIS, SITEWISE, type FailureRow, type FailureSection } from './failure-rows.ts'
import { FATES, JUDGES, type Fate } from './fates.ts'
import { code, notice, page, table } from './markdown.ts'

export const SECTIONS: readonly FailureSection[] = [EVERY_DESTINATION, KINESIS, SITEWISE, HTTP, S3, IOT_ANALYTICS]

/** What the program does about each name of a row: the same for all, or the row is wrong. */
function fateOf({ names, from }: FailureRow, { judge: name, title }: FailureSection): Fate {
  if (typeof from === 'string') return from
  if (name === undefined) throw new Error(`${title}: there is nobody to judge ${names.join(', ')}`)
  const judge = JUDGES[name]
  const fates = names.map((error) =>
    from.kind === 'message' ? judge.ofMessage(error) : judge.ofRequest(error, from.message ?? '', from.status)
  )
  const [first] = fates
  if (first === undefined || fates.some((fate) => fate !== first))
    throw new Error(`${title}: ${names.map((error, index) => `${error} is ${fates[index] ?? ''}`).join(', ')}`)
  return first
}

function nameCell({ names, text }: FailureRow): string {
  return names.map((name) => code(text === undefined ? name : `${name}: ${text}`)).join(', ')
}

/** Whom the failure is about, and who says so. */
function subjectOf({ from }: FailureRow): string {
  if (typeof from === 'string') return 'found here, without a request'
  return from.kind === 'request' ? 'a request' : 'one message of a request'
}

function section(described: FailureSection): string[] {
  const isJudged = described.judge !== undefined
  const rows = described.rows.map((row) => [
    nameCell(row),
    ...(isJudged ? [subjectOf(row)] : []),
    FATES[fateOf(row, described)],
    `${row.remedy}.`
  ])
  const head = ['`errorMessage`', ...(isJudged ? ['said of'] : []), 'what happens', 'cause and remedy']
  return [`## ${described.title}`, described.intro, table(head, rows)]
}

/** docs/export-failures.md. What happens is not written down: the program is asked. */
export function failuresPage(): string {
  return page(
    '# When an export fails',
    notice('component/sinks/ and scripts/docs/failure-rows*.ts'),
    'Describing a stream shows the last failure of each export as `errorMessage`, `<name>: <text>`; it is empty when the last ' +
      'attempt worked. The log has it, too:',
    [
      '```text',
      "2026-11-24T09:15:02.120Z [WARN] (export) Export failed and will be repeated. {stream=sensor, export=cloud, next=0, attempt=1, reason=ResourceNotFoundException: export stream telemetry doesn't exist}",
      '2026-11-24T09:21:40.003Z [INFO] (export) Export works again. {stream=sensor, export=cloud}',
      '2026-11-24T09:30:11.518Z [WARN] (export) Messages were skipped because the destination can never accept them. {stream=sensor, export=cloud, reason=InvalidEntry: the message is not JSON, count=1, first=17, last=17}',
      '```'
    ].join('\n'),
    'A failure of the surroundings is repeated for ever, after 1 s, 2 s, 4 s and so on up to 5 min, or after what the ' +
      'destination asks for; the position of the export stays. This holds for every error that is not listed, too. Only ' +
      'what the destination can never accept is skipped, one message at a time. Retention goes on meanwhile: a full stream ' +
      'with `OverwriteOldestData`, or the time to live, removes messages that have not been exported.',
    'An update of the export, and a restart, make the next attempt at once.',
    ...SECTIONS.flatMap(section)
  )
}
