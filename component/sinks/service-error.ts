import { failureText, reason } from './failure-text.ts'

/** HTTP status of the answer that an error of an AWS client stands for; undefined when there was none. */
export function httpStatusOf(error: Error): number | undefined {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) return undefined
  const { $metadata: metadata } = error
  return 'httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number'
    ? metadata.httpStatusCode
    : undefined
}

/**
 * An error of an AWS client for errorMessage. The client has no name for answers that are not the service's own, such as a
 * proxy's; then the status says most.
 */
export function serviceErrorText(error: Error): string {
  const status = httpStatusOf(error)
  return error.name === 'Unknown' && status !== undefined ? reason('HttpError', `status ${status}`) : failureText(error)
}
