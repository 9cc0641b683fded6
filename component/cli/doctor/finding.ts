import type { ErrorHelp } from '../../export/error-help.ts'

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
