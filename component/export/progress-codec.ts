import { STATUS_LEVELS } from '../model/export-definition.ts'
import { decodeAccount, encodeAccount } from './account-codec.ts'
import type { ExportProgress } from './source.ts'

/**
 * The catalogue value of an export's progress: a JSON list, numbers beyond 2^53 as text. Later versions have longer lists;
 * each reads those of the others, without what it does not know.
 */
export function encodeProgress(progress: ExportProgress): Buffer {
  const { next, startSequenceNumber, lastExportTimeMs, exportedBytes, processedMessages, skippedMessages } = progress
  const { task, statusConfig, ended, account } = progress
  const added = [
    task,
    statusConfig && [statusConfig.statusStreamName, statusConfig.statusLevel],
    ended && [ended.reason, ended.below],
    account && encodeAccount(account)
  ]
  const list = [
    next.toString(),
    startSequenceNumber.toString(),
    lastExportTimeMs ?? null,
    exportedBytes,
    processedMessages,
    skippedMessages,
    ...(added.some((value) => value !== undefined) ? added : [])
  ]
  return Buffer.from(JSON.stringify(list))
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isNumberText = (value: unknown): value is string => typeof value === 'string' && /^\d{1,19}$/.test(value)

/** The progress in a catalogue value; undefined when it cannot be read, then the export starts anew. */
export function decodeProgress(bytes: Buffer): ExportProgress | undefined {
  let list: unknown
  try {
    list = JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
  if (!Array.isArray(list)) return undefined
  const [next, start, lastExportTimeMs, exportedBytes, processedMessages, skippedMessages, ...added] = list as unknown[]
  if (!isNumberText(next) || !isNumberText(start)) return undefined
  if (!isCount(exportedBytes) || !isCount(processedMessages) || !isCount(skippedMessages)) return undefined
  return {
    next: BigInt(next),
    startSequenceNumber: BigInt(start),
    ...(isCount(lastExportTimeMs) ? { lastExportTimeMs } : {}),
    exportedBytes,
    processedMessages,
    skippedMessages,
    ...decodeAdded(added)
  }
}

/** What S3 exports have in addition, and the account; what cannot be read is left out. */
function decodeAdded([task, status, ended, accountValue]: readonly unknown[]): Partial<ExportProgress> {
  const [statusStreamName, level] = Array.isArray(status) ? (status as unknown[]) : []
  const statusLevel = STATUS_LEVELS.find((known) => known === level)
  const [reason, below] = Array.isArray(ended) ? (ended as unknown[]) : []
  const account = decodeAccount(accountValue)
  return {
    ...(account === undefined ? {} : { account }),
    ...(typeof task === 'string' ? { task } : {}),
    ...(typeof statusStreamName === 'string'
      ? { statusConfig: { statusStreamName, ...(statusLevel === undefined ? {} : { statusLevel }) } }
      : {}),
    ...(typeof reason === 'string' && isCount(below) ? { ended: { reason, below } } : {})
  }
}
