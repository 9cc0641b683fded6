import type { BatchPutAssetPropertyErrorEntry } from '@aws-sdk/client-iotsitewise'
import { failureText, reason } from '../failure-text.ts'
import { httpStatusOf, serviceErrorText } from '../service-error.ts'
import type { PlannedEntry } from './request.ts'

/** What becomes of one entry after an answer; without a reason it was accepted. */
export interface EntryFate {
  readonly kind: 'accepted' | 'failed' | 'conflict' | 'rejected'
  readonly reason: string
}

/** What an error that answers the whole request means for its entries. */
export type RequestFailure = Exclude<EntryFate['kind'], 'accepted'>

/*
 * Codes of BatchPutAssetPropertyError:
 * https://docs.aws.amazon.com/iot-sitewise/latest/APIReference/API_BatchPutAssetPropertyError.html
 * All others, also unknown ones, may work later (behaviour 9).
 */
export const REJECTING_CODES = new Set([
  'TimestampOutOfRangeException',
  'InvalidRequestException',
  'ResourceNotFoundException'
])
export const CONFLICT = 'ConflictingOperationException'
/**
 * Names of errors about the content of the request. ValidationError is what AWS calls ValidationException where errors are
 * common to all services; SerializationException can be a message's doing, since its own JSON is in the body.
 * https://docs.aws.amazon.com/iot-sitewise/latest/APIReference/CommonErrors.html
 */
export const REJECTING_ERRORS = new Set([
  'InvalidRequestException',
  'SerializationException',
  'ValidationError',
  'ValidationException'
])
const STATUS_TOO_LARGE = 413

/**
 * Reads the list of errors.
 * @returns the fate of each entry, in order; undefined when the list does not fit the request: then nothing in it can be
 * believed (reliability 5.4 CD9)
 */
export function readErrorEntries(
  errorEntries: readonly BatchPutAssetPropertyErrorEntry[] | undefined,
  entries: readonly PlannedEntry[]
): readonly EntryFate[] | undefined {
  if (errorEntries === undefined) return undefined
  const fates = new Map<string, EntryFate>(entries.map((entry) => [entry.id, { kind: 'accepted', reason: '' }]))
  for (const { entryId, errors } of errorEntries) {
    const entry = entries.find(({ id }) => id === entryId)
    if (entry === undefined) return undefined
    fates.set(entry.id, fateOf(errors ?? [], entry.address))
  }
  return [...fates.values()]
}

/** Of several errors of one entry the one that asks for patience counts. */
function fateOf(
  errors: readonly { readonly errorCode?: string | undefined; readonly errorMessage?: string | undefined }[],
  address: string
): EntryFate {
  const fates = errors.map(({ errorCode = 'UnknownError', errorMessage = '' }) => ({
    kind: kindOf(errorCode),
    reason: reason(errorCode, `${errorMessage} (${address})`)
  }))
  const found = (['failed', 'conflict', 'rejected'] as const).map((kind) => fates.find((fate) => fate.kind === kind))
  return (
    found.find((fate) => fate !== undefined) ?? {
      kind: 'failed',
      reason: reason('InvalidResponse', `an error without a code (${address})`)
    }
  )
}

function kindOf(code: string): RequestFailure {
  if (REJECTING_CODES.has(code)) return 'rejected'
  return code === CONFLICT ? 'conflict' : 'failed'
}

/** Tells errors about the content of a request from all others, which are repeated for ever (behaviour 9, item 7). */
export function requestFailureOf(error: unknown): { readonly kind: RequestFailure; readonly reason: string } {
  if (!(error instanceof Error)) return { kind: 'failed', reason: failureText(error) }
  const text = serviceErrorText(error)
  if (error.name === CONFLICT) return { kind: 'conflict', reason: text }
  const isAboutContent = REJECTING_ERRORS.has(error.name) || httpStatusOf(error) === STATUS_TOO_LARGE
  return { kind: isAboutContent ? 'rejected' : 'failed', reason: text }
}
