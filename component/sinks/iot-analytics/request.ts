import type { BatchPutMessageErrorEntry, Message } from '@aws-sdk/client-iotanalytics'
import type { Random } from '../../base/random.ts'
import type { StoredMessage } from '../../model/message.ts'
import { reason } from '../failure-text.ts'
import { uuid } from '../uuid.ts'
import { MESSAGE_ID_CHARS_MAX } from './limits.ts'

const UUID_CHARS = 36

/** A message of a request and where it came from. */
export interface PlannedMessage {
  /** Index in the batch. */
  readonly index: number
  readonly message: Message & { readonly messageId: string }
}

/**
 * The messages of one request (behaviour 10.7), each with a new id: the prefix, as far as the service has room and accepts
 * its characters, and a UUID.
 * @param indices of the messages that go into the request
 */
export function planMessages(
  messages: readonly StoredMessage[],
  indices: readonly number[],
  prefix: string,
  random: Random
): readonly PlannedMessage[] {
  const usable = prefix.replace(/[^\x20-\x7e]/g, '_').slice(0, MESSAGE_ID_CHARS_MAX - UUID_CHARS)
  return indices.flatMap((index) => {
    const payload = messages[index]?.payload
    return payload === undefined ? [] : [{ index, message: { messageId: `${usable}${uuid(random)}`, payload } }]
  })
}

/** What an answer says of the messages it does not accept. */
export interface MessageErrors {
  /** Indices into the batch, ascending. */
  readonly failed: readonly number[]
  readonly rejected: readonly { readonly index: number; readonly reason: string }[]
  /** Of the first failed one. */
  readonly reason: string
}

/** The service says of a single message that it is invalid; everything else may work later. */
const REJECTING_CODE = 'InvalidRequestException'

/** @returns undefined when the list does not fit the request: then nothing in it can be believed */
export function readErrorEntries(
  errorEntries: readonly BatchPutMessageErrorEntry[] | undefined,
  planned: readonly PlannedMessage[]
): MessageErrors | undefined {
  if (errorEntries === undefined) return undefined
  const texts = new Map<number, { readonly isRejected: boolean; readonly reason: string }>()
  for (const { messageId, errorCode = 'UnknownError', errorMessage = '' } of errorEntries) {
    const index = planned.find(({ message }) => message.messageId === messageId)?.index
    if (index === undefined) return undefined
    texts.set(index, { isRejected: errorCode === REJECTING_CODE, reason: reason(errorCode, errorMessage) })
  }
  const ordered = [...texts].sort(([left], [right]) => left - right)
  const failed = ordered.filter(([, { isRejected }]) => !isRejected)
  return {
    failed: failed.map(([index]) => index),
    rejected: ordered
      .filter(([, { isRejected }]) => isRejected)
      .map(([index, text]) => ({ index, reason: text.reason })),
    reason: failed[0]?.[1].reason ?? ''
  }
}
