import { failureText, reason } from '../failure-text.ts'
import { askedWaitMs } from '../retry-after.ts'

/** What an error of a request to S3 means for the task (behaviour 10.5). */
export type S3Failure =
  | { readonly kind: 'retry'; readonly reason: string; readonly waitMs?: number }
  | { readonly kind: 'final'; readonly reason: string }
  /** The upload is gone, or its parts are not what we think: begin anew (reliability 5.4 CD12). */
  | { readonly kind: 'uploadLost'; readonly reason: string }
  /** The bucket is elsewhere. */
  | { readonly kind: 'otherRegion'; readonly reason: string; readonly region: string }

/*
 * Codes of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export const RETRIED = new Set([
  'SlowDown',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'RequestExpired',
  'IncompleteBody',
  'OperationAborted',
  'TemporaryRedirect',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequests',
  // The bytes on the wire were not those of the checksum: damaged on the way, or the file is being written to.
  'BadDigest',
  'InvalidDigest',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
  // Credentials that have ended or are being replaced.
  'ExpiredToken',
  'TokenRefreshRequired',
  'InvalidToken',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch'
])
export const UPLOAD_LOST = new Set(['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'])
export const ELSEWHERE = new Set([
  'PermanentRedirect',
  'Redirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'IncorrectEndpoint'
])
const REGION = /^[a-z]{2,4}(-[a-z]{2,9}){1,3}-\d{1,2}$/

const STATUS_SERVER_ERROR = 500
const STATUSES_RETRIED = new Set([408, 429])

/**
 * @param region where the request went; undefined when none is configured
 * @param wallMs the present, milliseconds since the epoch
 */
export function s3Failure(error: unknown, region: string | undefined, wallMs: number): S3Failure {
  const fields = fieldsOf(error)
  const { code, status } = fields
  const retry = (text: string): S3Failure => {
    const waitMs = askedWaitMs(error, wallMs)
    return { kind: 'retry', reason: text, ...(waitMs === 0 ? {} : { waitMs }) }
  }
  // Answers without a code of the service come from somebody else: a proxy, a captive portal (reliability 5.4 CD5).
  if (code === undefined) return retry(foreignReason(error, status))
  const text = reason(code, fields.message)
  const elsewhere = fields.region
  if (ELSEWHERE.has(code) && elsewhere !== undefined && elsewhere !== region && REGION.test(elsewhere)) {
    return { kind: 'otherRegion', reason: text, region: elsewhere }
  }
  if (UPLOAD_LOST.has(code)) return { kind: 'uploadLost', reason: text }
  if (RETRIED.has(code) || status >= STATUS_SERVER_ERROR || STATUSES_RETRIED.has(status)) return retry(text)
  // An error inside an answer of status 200: the service asks to repeat the request.
  if (status < 300) return retry(text)
  return { kind: 'final', reason: text }
}

function foreignReason(error: unknown, status: number): string {
  return status >= 300 ? reason('HttpError', `status ${status}`) : failureText(error)
}

interface ErrorFields {
  /** Undefined when the answer was none of S3, or there was none. */
  readonly code: string | undefined
  readonly message: string
  /** 0 when there was no answer. */
  readonly status: number
  readonly region: string | undefined
}

/** What the SDK leaves in an error: the elements of the answer's XML, and the answer itself. */
function fieldsOf(error: unknown): ErrorFields {
  const fields = propertiesOf(error)
  const status = propertiesOf(fields['$metadata'])['httpStatusCode']
  const headers = propertiesOf(propertiesOf(fields['$response'])['headers'])
  const code = textOf(fields['Code'])
  return {
    code,
    message: error instanceof Error ? error.message : '',
    status: typeof status === 'number' ? status : 0,
    region: textOf(fields['Region']) ?? textOf(headers['x-amz-bucket-region'])
  }
}

function propertiesOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
