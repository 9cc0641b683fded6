import { FRAME_LENGTH_MAX, REQUEST_ID_CHARS_MAX } from '../base/limits.ts'
import { nextSlice, SLICE_BYTES, WHOLE_ANSWER_BYTES_MAX } from '../base/turn.ts'
import { fail, success, type Result } from '../model/failure.ts'
import type { StoredMessage } from '../model/message.ts'
import {
  beginReadResponse,
  parseReadMessages,
  readResponseBytes,
  type ReadMessagesRequest,
  type ReadResponse
} from '../protocol/index.ts'
import type { Caller, Operation, Services } from './operation.ts'
import { settle } from './settle.ts'

const LONGEST_ID = ' '.repeat(REQUEST_ID_CHARS_MAX)
const ANSWER_TOO_LARGE = fail('responsePayloadTooLarge', 'the message is too large for an answer')

interface ReadAnswer {
  readonly streamName: string
  readonly messages: readonly StoredMessage[]
}

async function read(request: ReadMessagesRequest, services: Services, caller: Caller): Promise<Result<ReadAnswer>> {
  const { streamName } = request
  const stream = services.registry.get(streamName)
  if (stream === undefined) return { ok: false, failure: services.registry.whyAbsent(streamName) }
  const messages = await stream.read(request, caller)
  if (!messages.ok) return messages
  // A message that filled a whole request leaves no room for what its answer adds. Several are held to a bound far below.
  if (messages.value.length === 1 && readResponseBytes(LONGEST_ID, streamName, messages.value) > FRAME_LENGTH_MAX)
    return ANSWER_TOO_LARGE
  return success({ streamName, messages: messages.value })
}

/** A large answer is written slice by slice, so that it holds nobody up. */
async function writeInSlices(response: ReadResponse): Promise<Buffer> {
  do await nextSlice()
  while (!response.write(SLICE_BYTES))
  return response.frame
}

/** ReadMessages (behaviour 3.4): may wait for messages, without holding up anything else. */
export const readMessages: Operation<ReadMessagesRequest, ReadAnswer> = {
  parse: parseReadMessages,
  handle: (request, services, caller, done) => settle(read(request, services, caller), done, 'messageStoreReadError'),
  encode(requestId, { streamName, messages }, allocate) {
    const response = beginReadResponse(requestId, streamName, messages, allocate)
    if (response.frame.length > WHOLE_ANSWER_BYTES_MAX) return writeInSlices(response)
    response.write(Infinity)
    return response.frame
  }
}
