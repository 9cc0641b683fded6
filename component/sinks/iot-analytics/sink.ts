import { BatchPutMessageCommand, type IoTAnalyticsClient } from '@aws-sdk/client-iotanalytics'
import type { AwsRequestOptions } from '../../aws/index.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { SendOutcome, Sink } from '../../export/sink.ts'
import type { IotAnalyticsExport } from '../../model/export-definition.ts'
import { failureText, reason } from '../failure-text.ts'
import { retryLater } from '../retry-after.ts'
import { httpStatusOf, serviceErrorText } from '../service-error.ts'
import { MESSAGE_BYTES_MAX } from './limits.ts'
import { planMessages, readErrorEntries } from './request.ts'

/**
 * Names of errors about the content of the request. SerializationException is none: this body, unlike that of SiteWise, is
 * wholly our own, payloads in base64, so it tells nothing of a message.
 */
export const REJECTING_ERRORS = new Set(['InvalidRequestException', 'ValidationError', 'ValidationException'])
const STATUS_TOO_LARGE = 413

export interface IotAnalyticsSinkContext {
  readonly client: IoTAnalyticsClient
  readonly clock: Clock
  readonly random: Random
}

/** Puts messages into a channel of an endpoint that speaks the protocol of IoT Analytics (behaviour 10.7). */
export function createIotAnalyticsSink(context: IotAnalyticsSinkContext, definition: IotAnalyticsExport): Sink {
  const { client, clock, random } = context
  const { iotChannel: channelName, iotMsgIdPrefix = '' } = definition
  return {
    async send({ messages }, signal, onProgress) {
      const isFitting = messages.map(({ payload }) => payload.length <= MESSAGE_BYTES_MAX)
      const fitting = messages.flatMap((_, index) => (isFitting[index] === true ? [index] : []))
      const tooLarge = messages.flatMap(({ payload }, index) =>
        isFitting[index] === true
          ? []
          : [{ index, reason: reason('MessageTooLarge', `a message of ${payload.length} bytes`) }]
      )
      if (fitting.length === 0) return { kind: 'partial', failed: [], rejected: tooLarge, reason: '' }
      const planned = planMessages(messages, fitting, iotMsgIdPrefix, random)
      const request: AwsRequestOptions = { abortSignal: signal, onProgress }
      try {
        const command = new BatchPutMessageCommand({ channelName, messages: planned.map(({ message }) => message) })
        const { batchPutMessageErrorEntries } = await client.send(command, request)
        const errors = readErrorEntries(batchPutMessageErrorEntries, planned)
        if (errors === undefined) {
          return {
            kind: 'retryLater',
            reason: reason('InvalidResponse', 'the list of errors does not fit the request')
          }
        }
        const rejected = [...tooLarge, ...errors.rejected].sort((left, right) => left.index - right.index)
        if (errors.failed.length === 0 && rejected.length === 0) return { kind: 'delivered' }
        return { kind: 'partial', failed: errors.failed, rejected, reason: errors.reason }
      } catch (error) {
        const failure = failureOf(error, clock.wallMs())
        if (failure.kind === 'retryLater' || tooLarge.length === 0) return failure
        // First without those that were not part of the request: then the engine can isolate the offender.
        return { kind: 'partial', failed: [], rejected: tooLarge, unsent: fitting, reason: '' }
      }
    },
    // The client is shared by all exports of this kind.
    close: () => undefined
  }
}

/** Tells errors about the content of a request from all others, which are repeated for ever (behaviour 6.6). */
export function failureOf(error: unknown, wallMs: number): SendOutcome {
  if (!(error instanceof Error)) return { kind: 'retryLater', reason: failureText(error) }
  const text = serviceErrorText(error)
  const isAboutContent = REJECTING_ERRORS.has(error.name) || httpStatusOf(error) === STATUS_TOO_LARGE
  return isAboutContent ? { kind: 'rejected', reason: text } : retryLater(text, error, wallMs)
}
