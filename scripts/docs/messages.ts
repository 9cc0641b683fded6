import { LOG_LEVELS, type LogLevel } from '../../component/base/log.ts'
import type { LogSentence } from './log-sentences.ts'
import { code, notice, page, table } from './markdown.ts'
import { REMEDIES } from './remedies.ts'

const EXPORT = ['stream', 'export']
const RANGE = ['count', 'first', 'last']

/** Fields that another part of the program hands in, which the sentence's own file does not tell. */
export const MORE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'Export failed and will be repeated': [...EXPORT, 'next', 'attempt'],
  'Export works again': EXPORT,
  'Messages were removed from the stream before they were exported': [...EXPORT, ...RANGE],
  'Messages were skipped because the destination can never accept them': [...EXPORT, 'reason', ...RANGE],
  'S3 tasks have failed and will not be tried again': [...EXPORT, 'reason', ...RANGE],
  'Stream Manager is starting': ['every setting']
}

/** Sentences that need a person, or tell of a loss, come with what to do. */
export const needsRemedy = ({ level }: LogSentence): boolean => level === 'WARN' || level === 'ERROR'

function fieldsOf({ text, fields }: LogSentence): string {
  return [...new Set([...(MORE_FIELDS[text] ?? []), ...fields])]
    .map((name) => (name.includes(' ') ? name : code(name)))
    .join(', ')
}

const byArea = (left: LogSentence, right: LogSentence): number =>
  left.area.localeCompare(right.area) || left.text.localeCompare(right.text)

function section(level: LogLevel, sentences: readonly LogSentence[]): string[] {
  const found = sentences.filter((sentence) => sentence.level === level).sort(byArea)
  if (found.length === 0) return []
  const rows = found.map((sentence) => [
    sentence.area,
    code(sentence.text),
    fieldsOf(sentence),
    ...(needsRemedy(sentence) ? [`${REMEDIES[sentence.text] ?? ''}.`] : [])
  ])
  const head = ['area', 'message', 'fields', ...(found.some(needsRemedy) ? ['what to do'] : [])]
  return [`## ${level}`, table(head, rows)]
}

/** docs/messages.md */
export function messagesPage(sentences: readonly LogSentence[]): string {
  const areas = [...new Set(sentences.map(({ area }) => area))].sort()
  return page(
    '# Log messages',
    notice('the log calls of component/ and scripts/docs/remedies.ts'),
    'The server logs to standard output, one line for one event:',
    [
      '```text',
      '2026-11-24T09:15:02.120Z [WARN] (export) Export failed and will be repeated. {stream=sensor, export=cloud, next=0, attempt=1, reason=HttpError: status 503 Service Unavailable}',
      '```'
    ].join('\n'),
    `Time in UTC, level, area (${areas.join(', ')}), message, fields. Control characters are escaped and long fields cut. ` +
      'The same line about the same thing comes once a minute at most: `repeats` says how many events such a line stands for. ' +
      'Classic writes the lines to `logs/aws.greengrass.StreamManager.log`, lite to the journal. `LOG_LEVEL` hides the lower ' +
      'levels. Payloads, tokens and credentials are never logged.',
    'With `STREAM_MANAGER_LOG_FORMAT=json` each line is one JSON object instead, whose `time`, `level`, `area` and `message` are ' +
      'texts and whose `fields` are an object:',
    [
      '```text',
      '{"time":"2026-11-24T09:15:02.120Z","level":"WARN","area":"export","message":"Export failed and will be repeated","fields":{"stream":"sensor","export":"cloud","next":0,"attempt":1,"reason":"HttpError: status 503 Service Unavailable"}}',
      '```'
    ].join('\n'),
    'ERROR: data is lost, or a person is needed. WARN: something does not work as it should, and may by itself again. INFO: ' +
      'the course of things. DEBUG: for whoever looks for a fault. Words in angle brackets vary.',
    'An export that goes on failing for the same reason is told of once a minute, and once more when it works again.',
    ...[...LOG_LEVELS].reverse().flatMap((level) => section(level, sentences))
  )
}
