import { isDeepStrictEqual } from 'node:util'
import type { ExportDefinition } from '../model/export-definition.ts'

/** What a definition says of when and from where on to export, not of whereto. */
const WITHOUT_TIMING = {
  batchIntervalMs: undefined,
  batchSize: undefined,
  disabled: undefined,
  priority: undefined,
  startSequenceNumber: undefined
}

/** Whether two definitions lead to the same destination in the same way: what is known of it holds for both. */
export function isSameDestination(left: ExportDefinition, right: ExportDefinition): boolean {
  return isDeepStrictEqual({ ...left, ...WITHOUT_TIMING }, { ...right, ...WITHOUT_TIMING })
}
