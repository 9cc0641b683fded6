import { PutRecordsCommand, type KinesisClient } from '@aws-sdk/client-kinesis'
import type { Random } from '../../base/random.ts'
import type { SendOutcome, Sink } from '../../export/sink.ts'
import type { KinesisExport } from '../../model/export-definition.ts'
import type { StoredMessage } from '../../model/message.ts'
import { reason } from '../failure-text.ts'
import { kinesisFailure } from './errors.ts'
import { kinesisRecordBytes, REQUEST_BYTES_FALLBACK, REQUEST_BYTES_MAX } from './limits.ts'
import { createPacing } from './pacing.ts'
import { kinesisRecords, readResults, splitByBytes } from './request.ts'

export interface KinesisSinkContext {
  readonly client: KinesisClient
  readonly random: Random
  /** Undefined when the deployment leaves it at its default. */
  readonly interCallDelayMs: number | undefined
}

/** How one PutRecords ended. */
type Put =
  | {
      readonly kind: 'answered'
      readonly failed: readonly StoredMessage[]
      readonly reason: string
      readonly throttled: boolean
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly throttled: boolean }
  | { readonly kind: 'tooLarge'; readonly reason: string }

/**
 * Puts batches into a Kinesis data stream (behaviour 8). A destination that refuses a request for its size gets smaller
 * ones from then on; a batch then takes several requests.
 */
export function createKinesisSink(context: KinesisSinkContext, definition: KinesisExport): Sink {
  const { client, random } = context
  const { kinesisStreamName } = definition
  const pacing = createPacing(context.interCallDelayMs)
  let requestBytesMax = REQUEST_BYTES_MAX

  const put = async (messages: readonly StoredMessage[], signal: AbortSignal): Promise<Put> => {
    try {
      const command = new PutRecordsCommand({
        StreamName: kinesisStreamName,
        Records: kinesisRecords(messages, random)
      })
      const results = readResults((await client.send(command, { abortSignal: signal })).Records, messages.length)
      if (results === undefined) {
        const text = reason('InvalidResponse', 'the list of results does not fit the request')
        return { kind: 'failed', reason: text, throttled: false }
      }
      const { failed, firstError, throttled } = results
      return {
        kind: 'answered',
        failed: messages.filter((_, index) => failed.includes(index)),
        reason: firstError === undefined ? '' : reason(firstError.code, firstError.message),
        throttled
      }
    } catch (error) {
      const failure = kinesisFailure(error, kinesisStreamName)
      if (failure.kind === 'tooLarge') return { kind: 'tooLarge', reason: failure.reason }
      return { kind: 'failed', reason: failure.reason, throttled: failure.kind === 'throttled' }
    }
  }

  /** True when smaller requests may help, which are then made from now on. */
  const fallBack = (messages: readonly StoredMessage[]): boolean => {
    const bytes = messages.reduce((sum, message) => sum + kinesisRecordBytes(message), 0)
    if (messages.length < 2 || bytes <= REQUEST_BYTES_FALLBACK || requestBytesMax === REQUEST_BYTES_FALLBACK)
      return false
    requestBytesMax = REQUEST_BYTES_FALLBACK
    return true
  }

  /** Sends a batch in as many requests as it takes, up to the first that fails as a whole. */
  const putAll = async (messages: readonly StoredMessage[], signal: AbortSignal): Promise<SendOutcome> => {
    const failed = new Set<StoredMessage>()
    let firstReason = ''
    let throttled = false
    const outcome = (unsent: readonly StoredMessage[]): SendOutcome => {
      for (const message of unsent) failed.add(message)
      const waitMs = throttled ? pacing.throttled() : failed.size > 0 ? pacing.current() : pacing.succeeded()
      const indices = messages.flatMap((message, index) => (failed.has(message) ? [index] : []))
      if (indices.length === 0) return { kind: 'delivered', waitMs }
      if (indices.length === messages.length) return { kind: 'retryLater', reason: firstReason, waitMs }
      return { kind: 'partial', failed: indices, reason: firstReason, waitMs }
    }
    let rest = messages
    for (const piece of splitByBytes(messages, requestBytesMax)) {
      const result = await put(piece, signal)
      if (result.kind === 'tooLarge') {
        if (rest === messages && fallBack(piece)) return putAll(messages, signal)
        // Only a request that stands for the whole batch is rejected; otherwise the engine sends what is left again.
        if (piece.length === messages.length) return { kind: 'rejected', reason: result.reason }
      }
      if (firstReason === '') firstReason = result.reason
      if (result.kind !== 'tooLarge') throttled ||= result.throttled
      if (result.kind !== 'answered') return outcome(rest)
      for (const message of result.failed) failed.add(message)
      rest = rest.slice(piece.length)
    }
    return outcome([])
  }

  return {
    async send({ messages }, signal) {
      const [first, second] = messages
      if (first !== undefined && second === undefined && kinesisRecordBytes(first) > REQUEST_BYTES_MAX) {
        return { kind: 'rejected', reason: reason('RecordTooLarge', `a record of ${first.payload.length} bytes`) }
      }
      return putAll(messages, signal)
    },
    // The client is shared by all Kinesis exports.
    close: () => undefined
  }
}
