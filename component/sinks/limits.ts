import type { BatchLimits } from '../export/sink.ts'
import type { ExportDefinition } from '../model/export-definition.ts'
import { httpLimits } from './http/limits.ts'
import { KINESIS_LIMITS } from './kinesis/limits.ts'

/**
 * What fits into one request of an export. Pure and free of any client library, so that the main thread can cut batches.
 * @returns undefined for a kind that this version cannot export
 */
export function limitsOf(definition: ExportDefinition): BatchLimits | undefined {
  switch (definition.kind) {
    case 'http':
      return httpLimits(definition)
    case 'kinesis':
      return KINESIS_LIMITS
    case 'iotAnalytics':
    case 'sitewise':
    case 's3':
      return undefined
  }
}
