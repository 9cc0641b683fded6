import { countText, durationText, numberText } from '../../base/quantities.ts'
import { PASSED_OVER } from '../../export/account.ts'
import { DROP_HELP, dropHelpFor } from '../../export/drop-help.ts'
import { helpFor } from '../../export/error-help.ts'
import type { ExportSnapshot, Range, Snapshot, StreamSnapshot } from './snapshot.ts'
import { percentText, rangeText } from './words.ts'

/** Something that a person should know of, worst first. */
export interface Problem {
  /** Stays the same as long as the problem does. */
  readonly key: string
  /** problem: nothing gets better by itself, or data are being lost; warning: data may be lost, or were. */
  readonly severity: 'problem' | 'warning'
  /** What is wrong, where. */
  readonly title: string
  /** Why; what the destination said comes first. */
  readonly cause: string
  readonly remedy: string
  /** What it costs at present. */
  readonly effect: string | undefined
  /** Whose details tell more. */
  readonly stream: string | undefined
}

/** Above this share a stream that rejects is nearly full. */
const NEARLY_FULL = 0.9
/** Messages that wait longer than this are behind, even if nothing fails. */
const BEHIND_SECONDS = 300
/** What destinations say is shown up to so many characters. */
const CAUSE_CHARS_MAX = 300

const sentence = (text: string): string => {
  const cut = text.length > CAUSE_CHARS_MAX ? `${text.slice(0, CAUSE_CHARS_MAX)}…` : text
  const start = cut.charAt(0).toUpperCase() + cut.slice(1)
  return /[.!?…]$/.test(start) ? start : `${start}.`
}

/** What is known of the cause: in plain words, then as the destination said it. */
const causeText = (...parts: readonly (string | undefined)[]): string =>
  parts
    .filter((text) => text !== undefined)
    .map(sentence)
    .join(' ')

/** All problems, worst first; within one severity in the order of the streams. */
export function problemsOf(snapshot: Snapshot): readonly Problem[] {
  const problems = [...snapshot.streams.flatMap(problemsOfStream), ...complaints(snapshot)]
  const isSevere = ({ severity }: Problem): boolean => severity === 'problem'
  return [...problems.filter(isSevere), ...problems.filter((problem) => !isSevere(problem))]
}

/** What the server says of itself beyond its streams and exports. */
function complaints({ complaints }: Snapshot): Problem[] {
  return complaints.map(({ text, meaning, remedy }) => ({
    key: `server/${text}`,
    severity: 'problem',
    title: 'The server is not well',
    cause: `${sentence(meaning)} ${sentence(text)}`,
    remedy: sentence(remedy),
    effect: undefined,
    stream: undefined
  }))
}

function problemsOfStream(stream: StreamSnapshot): Problem[] {
  const { name } = stream
  const own: (Problem | undefined)[] = [appendProblem(stream), fullProblem(stream)]
  const ofExports = stream.exports.flatMap((of) => [
    attemptProblem(name, of),
    behindProblem(name, of),
    skipProblem(name, of),
    dropProblem(stream, of)
  ])
  return [...own, ...ofExports].filter((problem) => problem !== undefined)
}

function appendProblem({ name, problem }: StreamSnapshot): Problem | undefined {
  if (problem === undefined) return undefined
  return {
    key: `append/${name}`,
    severity: 'problem',
    title: `Appends to ${name} fail`,
    cause: sentence(problem),
    remedy: 'Make room on the disk, or look into the log for what else is wrong with it.',
    effect: 'Programs are told that their messages are not stored.',
    stream: name
  }
}

function fullProblem({ name, strategyOnFull, totalBytes, maxSizeBytes }: StreamSnapshot): Problem | undefined {
  const share = totalBytes / maxSizeBytes
  if (strategyOnFull !== 'rejectNewData' || share < NEARLY_FULL) return undefined
  return {
    key: `full/${name}`,
    severity: 'warning',
    title: `${name} is ${percentText(share)} full`,
    cause: 'It rejects new messages when it is full.',
    remedy: 'Raise its maxSize, set a timeToLiveMillis, or let it overwrite its oldest data.',
    effect: undefined,
    stream: name
  }
}

const waits = ({ waitingMessages, waitingSeconds }: ExportSnapshot): string => {
  const since = waitingSeconds === undefined ? '' : `, the oldest for ${durationText(waitingSeconds * 1_000)}`
  return `${countText(waitingMessages, 'message waits', 'messages wait')}${since}.`
}

function attemptProblem(stream: string, of: ExportSnapshot): Problem | undefined {
  if (of.state !== 'failing' && of.state !== 'unavailable') return undefined
  const { identifier, error, meaning, remedy, failedAttempts } = of
  const isFailing = of.state === 'failing'
  const attempts = failedAttempts > 1 ? ` ${numberText(failedAttempts)} attempts have failed.` : ''
  return {
    key: `attempt/${stream}/${identifier}`,
    severity: 'problem',
    title: isFailing ? `Export ${identifier} of ${stream} fails` : `Export ${identifier} of ${stream} is not possible`,
    cause: causeText(meaning, error) || 'The reason is not known.',
    remedy: sentence(remedy ?? 'look the error up in docs/export-failures.md'),
    effect: `${waits(of)}${attempts}`,
    stream
  }
}

function behindProblem(stream: string, of: ExportSnapshot): Problem | undefined {
  const { identifier, state, waitingSeconds } = of
  if ((state !== 'sending' && state !== 'waiting') || (waitingSeconds ?? 0) < BEHIND_SECONDS) return undefined
  return {
    key: `behind/${stream}/${identifier}`,
    severity: 'warning',
    title: `Export ${identifier} of ${stream} is behind`,
    cause: `It works, and its oldest message has waited for ${durationText((waitingSeconds ?? 0) * 1_000)}.`,
    remedy:
      'If the chart falls, wait. Otherwise raise the bandwidth limit or the capacity of the destination, or send less.',
    effect: waits(of),
    stream
  }
}

const rangesInWords = (ranges: readonly Range[]): string => ranges.slice(-3).map(rangeText).join(', ')

function skipProblem(stream: string, of: ExportSnapshot): Problem | undefined {
  const last = of.skippedRanges.findLast(({ reason }) => reason !== PASSED_OVER)
  if (of.skippedMessages === 0 || (last === undefined && of.skippedRanges.length > 0)) return undefined
  const where = last === undefined ? '' : ` Last numbers: ${rangesInWords(of.skippedRanges)}.`
  const help = last === undefined ? undefined : helpFor(of.kind, last.reason)
  return {
    key: `skipped/${stream}/${of.identifier}`,
    severity: 'warning',
    title: `Export ${of.identifier} of ${stream} has skipped ${countText(of.skippedMessages, 'message')}`,
    cause: last === undefined ? 'The destination can never accept them.' : causeText(help?.meaning, last.reason),
    remedy: sentence(help?.remedy ?? 'correct the program that appends them; `stream-manager tail` shows the messages'),
    effect: `They are not at the destination; the stream keeps them until retention removes them.${where}`,
    stream
  }
}

function dropProblem({ name }: StreamSnapshot, of: ExportSnapshot): Problem | undefined {
  const last = of.droppedRanges.at(-1)
  if (of.droppedMessages === 0) return undefined
  const help = dropHelpFor(last?.reason ?? '') ?? DROP_HELP.overwritten
  const where = last === undefined ? '' : ` Last numbers: ${rangesInWords(of.droppedRanges)}.`
  return {
    key: `dropped/${name}/${of.identifier}`,
    severity: 'warning',
    title: `${countText(of.droppedMessages, 'message')} of ${name} never got to export ${of.identifier}`,
    cause: sentence(help.meaning),
    remedy: sentence(help.remedy),
    effect: `They are lost to this destination.${where}`,
    stream: name
  }
}
