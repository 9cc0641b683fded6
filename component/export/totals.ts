import { EXPORT_KINDS, type ExportKind } from '../model/export-definition.ts'

/** What the exports of one kind have done since the start of the server. */
export interface KindTotals {
  /** Payload bytes that destinations have accepted. */
  readonly deliveredBytes: number
  readonly deliveredMessages: number
  /** Messages that a destination can never accept. */
  readonly skippedMessages: number
  /** Messages that retention removed before they were exported. */
  readonly droppedMessages: number
}

/** Counters for telemetry (behaviour 12.1) and health. */
export interface ExportTotals {
  add(kind: ExportKind, counts: Partial<KindTotals>): void
  readonly byKind: Readonly<Record<ExportKind, KindTotals>>
}

const ZERO: KindTotals = { deliveredBytes: 0, deliveredMessages: 0, skippedMessages: 0, droppedMessages: 0 }

export function createExportTotals(): ExportTotals {
  const byKind = Object.fromEntries(EXPORT_KINDS.map((kind) => [kind, ZERO])) as Record<ExportKind, KindTotals>
  return {
    byKind,
    add(kind, counts) {
      const { deliveredBytes, deliveredMessages, skippedMessages, droppedMessages } = byKind[kind]
      byKind[kind] = {
        deliveredBytes: deliveredBytes + (counts.deliveredBytes ?? 0),
        deliveredMessages: deliveredMessages + (counts.deliveredMessages ?? 0),
        skippedMessages: skippedMessages + (counts.skippedMessages ?? 0),
        droppedMessages: droppedMessages + (counts.droppedMessages ?? 0)
      }
    }
  }
}
