import { failureText, reason } from '../failure-text.ts'
import { httpStatusOf, serviceErrorText } from '../service-error.ts'

/** What an error of PutRecords means. */
export interface KinesisFailure {
  readonly kind: 'tooLarge' | 'throttled' | 'other'
  readonly reason: string
}

/** Errors with which the service refuses the content of a request; only those about sizes are about the records. */
export const VALIDATION_ERRORS = new Set(['ValidationException', 'InvalidArgumentException'])
export const THROTTLING_ERRORS = new Set([
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'ThrottlingException',
  'KMSThrottlingException'
])
/** For example: "Member must have length less than or equal to 1048576", "Records size exceeds 5 MB limit". */
const SIZE_WORDS = ['length less than or equal', 'size', 'too large', 'exceed']
const STATUS_TOO_LARGE = 413

/**
 * Tells records that are too large, which are isolated and skipped, from all other errors, which are repeated for ever:
 * a wrong configuration must not cost data (behaviour 6.6).
 */
export function kinesisFailure(error: unknown, kinesisStreamName: string): KinesisFailure {
  if (!(error instanceof Error)) return { kind: 'other', reason: failureText(error) }
  // The operator searches for this phrase (behaviour 6.5).
  if (error.name === 'ResourceNotFoundException') {
    return { kind: 'other', reason: reason(error.name, `export stream ${kinesisStreamName} doesn't exist`) }
  }
  const text = { reason: serviceErrorText(error) }
  if (THROTTLING_ERRORS.has(error.name)) return { kind: 'throttled', ...text }
  const message = error.message.toLowerCase()
  const isAboutSize = VALIDATION_ERRORS.has(error.name) && SIZE_WORDS.some((word) => message.includes(word))
  return { kind: isAboutSize || httpStatusOf(error) === STATUS_TOO_LARGE ? 'tooLarge' : 'other', ...text }
}
