import { countText, numberText } from '../../base/quantities.ts'
import { DROP_CAUSES, PASSED_OVER } from '../../export/index.ts'
import { dropHelpFor } from '../../export/drop-help.ts'
import { helpFor } from '../../export/error-help.ts'
import type { ExportReport, HealthReport } from '../../monitor/report.ts'
import { safeText } from '../text.ts'
import { bad, type Finding } from './finding.ts'

/** Messages that never get to a destination, by the account of its export. */
export function accountFindings(subject: string, { account, kind }: ExportReport): Finding[] {
  const findings = DROP_CAUSES.flatMap((cause) => {
    const help = dropHelpFor(cause)
    const count = account.dropped[cause]
    if (count === 0 || help === undefined) return []
    const last = account.droppedRanges.findLast(({ reason }) => reason === cause)
    const where =
      last === undefined ? '' : ` (${cause}; the last ones are ${numberText(last.first)} to ${numberText(last.last)})`
    return [bad('warning', subject, `${countText(count, 'message')} lost to it: ${help.meaning}${where}`, help.remedy)]
  })
  const skipped = account.skippedRanges.findLast(({ reason }) => reason !== PASSED_OVER)
  if (account.skipped === 0 || (skipped === undefined && account.skippedRanges.length > 0)) return findings
  const reason = skipped === undefined ? 'the destination can never accept them' : safeText(skipped.reason)
  const help = skipped === undefined ? undefined : helpFor(kind, skipped.reason)
  const where =
    skipped === undefined ? '' : `; the last ones are ${numberText(skipped.first)} to ${numberText(skipped.last)}`
  const meaning = help === undefined ? '' : `${help.meaning}: `
  const remedy = help?.remedy ?? 'correct the program that appends them; `stream-manager tail` shows the messages'
  const text = `${countText(account.skipped, 'message')} skipped: ${meaning}${reason}${where}`
  return [...findings, bad('warning', subject, text, remedy)]
}

/** Codes that are told of each stream and export, with more detail. */
const TOLD_ELSEWHERE = new Set(['export_failing', 'export_unavailable', 'messages_skipped', 'messages_dropped'])

/** What the server says of its own health. */
export function healthFindings({ reasons }: HealthReport): Finding[] {
  return reasons
    .filter(({ code }) => !TOLD_ELSEWHERE.has(code))
    .map(({ code, severity, text, stream, meaning, remedy }) => {
      const subject = stream === undefined ? `server (${code})` : `stream ${JSON.stringify(stream)} (${code})`
      return bad(severity === 'failing' ? 'problem' : 'warning', subject, `${meaning}: ${safeText(text)}`, remedy)
    })
}
