import type { ErrorHelp } from '../../export/error-help.ts'
import { wrap } from '../table.ts'

/** `unknown`: it could not be looked at, because of another finding or for want of permission. */
export type Verdict = 'ok' | 'unknown' | 'warning' | 'problem'

/** What one check found. */
export interface Finding {
  readonly verdict: Verdict
  /** What was looked at: `clock`, `export "cloud" of "sensor"`. */
  readonly subject: string
  readonly text: string
  /** What to do, a sentence without a final dot; there is one unless all is well. */
  readonly remedy?: string
}

export const ok = (subject: string, text: string): Finding => ({ verdict: 'ok', subject, text })

export const bad = (verdict: Exclude<Verdict, 'ok'>, subject: string, text: string, remedy: string): Finding => ({
  verdict,
  subject,
  text,
  remedy
})

/** A finding about an error of a destination, in plain words. */
export function failed(subject: string, what: string, reason: string, help: ErrorHelp | undefined): Finding {
  const meaning = help === undefined ? '' : `: ${help.meaning}`
  const remedy = help?.remedy ?? 'look up the name in docs/export-failures.md'
  return bad('problem', subject, `${what}${meaning} (${reason})`, remedy)
}

const TITLES: Readonly<Record<Verdict, string>> = {
  ok: 'ok',
  unknown: 'unknown',
  warning: 'WARNING',
  problem: 'PROBLEM'
}
const TITLE_WIDTH = 9
const WIDTH_DEFAULT = 100
const WIDTH_MIN = 60

/** Findings with their remedies, for people. @param columns of the terminal */
export function findingsText(findings: readonly Finding[], columns: number | undefined): string {
  const width = Math.max(WIDTH_MIN, columns ?? WIDTH_DEFAULT) - TITLE_WIDTH
  const line = (title: string, content: string): string =>
    wrap(content, width)
      .map((part, index) => `${(index === 0 ? title : '').padEnd(TITLE_WIDTH)}${part}\n`)
      .join('')
  return findings
    .map(
      ({ verdict, subject, text, remedy }) =>
        line(TITLES[verdict], `${subject}: ${text}`) + (remedy === undefined ? '' : line('', `what to do: ${remedy}`))
    )
    .join('')
}

/** What could not be told, and how it can be. */
export function missingFinding({ text, remedy }: { readonly text: string; readonly remedy: string }): Finding {
  return bad('unknown', 'status', text, remedy)
}
