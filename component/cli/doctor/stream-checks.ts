import { bytesText, countText } from '../../base/quantities.ts'
import { helpFor } from '../../export/error-help.ts'
import type { ExportReport } from '../../monitor/report.ts'
import { exportReportOf, type ServerStatus } from '../client/status.ts'
import type { ExportView, StreamView } from '../stream-status.ts'
import { safeText } from '../text.ts'
import { accountFindings } from './account-checks.ts'
import { bad, failed, ok, type Finding } from './finding.ts'

/** A stream that rejects new data and is so full will refuse appends soon. */
const NEARLY_FULL = 0.9

export const exportName = (stream: string, identifier: string): string =>
  `export ${JSON.stringify(identifier)} of ${JSON.stringify(stream)}`

function exportFindings(stream: string, view: ExportView, report: ExportReport | undefined): Finding[] {
  const { definition, status, state, lagMessages, lagBytes, lostMessages } = view
  const subject = exportName(stream, definition.identifier)
  const findings: Finding[] = []
  const lag =
    lagMessages === 0
      ? 'it has sent all there is'
      : `${countText(lagMessages, 'message')} (${bytesText(lagBytes)}) wait`
  switch (state) {
    case 'paused':
      findings.push(
        bad(
          'warning',
          subject,
          `it is paused; ${lag}`,
          `resume ${JSON.stringify(stream)} ${JSON.stringify(definition.identifier)}`
        )
      )
      break
    case 'failing': {
      const reason = status.errorMessage ?? ''
      findings.push(
        failed(subject, `its last attempt failed; ${lag}`, safeText(reason), helpFor(definition.kind, reason))
      )
      break
    }
    case 'behind':
    case 'up to date':
      findings.push(ok(subject, lag))
  }
  if (report !== undefined) findings.push(...accountFindings(subject, report))
  else if (lostMessages > 0)
    findings.push(
      bad(
        'warning',
        subject,
        `${countText(lostMessages, 'message')} went by retention before they were sent`,
        'raise maxSize or the time to live of the stream'
      )
    )
  return findings
}

function fullness({ info }: StreamView): Finding | undefined {
  const { definition, storageStatus } = info
  if (definition.strategyOnFull !== 'rejectNewData') return undefined
  const share = storageStatus.totalBytes / Number(definition.maxSizeBytes)
  if (share < NEARLY_FULL) return undefined
  const subject = `stream ${JSON.stringify(definition.name)}`
  const text = `it is ${(share * 100).toFixed(0)} % full and rejects new data`
  return bad('warning', subject, text, 'raise maxSize, set a time to live, or let it overwrite the oldest data')
}

/** Streams and their exports, by what the server says. */
export function checkStreams(views: readonly StreamView[], status: ServerStatus): Finding[] {
  return views.flatMap((view) => {
    const full = fullness(view)
    const { name } = view.info.definition
    const exports = view.exports.flatMap((item) =>
      exportFindings(name, item, exportReportOf(status, name, item.definition.identifier))
    )
    return full === undefined ? exports : [full, ...exports]
  })
}
