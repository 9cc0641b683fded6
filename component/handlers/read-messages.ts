import { FAILURES, success, type Result } from '../model/failure.ts'
import type { StoredMessage } from '../model/message.ts'
import { encodeReadResponse, parseReadMessages, type ReadMessagesRequest } from '../protocol/index.ts'
import type { Caller, Operation, Services } from './operation.ts'
import { settle } from './settle.ts'

interface ReadAnswer {
  readonly streamName: string
  readonly messages: readonly StoredMessage[]
}

async function read(request: ReadMessagesRequest, services: Services, caller: Caller): Promise<Result<ReadAnswer>> {
  const { streamName } = request
  const stream = services.registry.get(streamName)
  if (stream === undefined) return { ok: false, failure: FAILURES.streamMissing }
  const messages = await stream.read(request, caller)
  return messages.ok ? success({ streamName, messages: messages.value }) : messages
}

/** ReadMessages (behaviour 3.4): may wait for messages, without holding up anything else. */
export const readMessages: Operation<ReadMessagesRequest, ReadAnswer> = {
  parse: parseReadMessages,
  handle: (request, services, caller, done) => settle(read(request, services, caller), done, 'messageStoreReadError'),
  encode: (requestId, { streamName, messages }) => encodeReadResponse(requestId, streamName, messages)
}
