/** Operation codes of frames, as sent on the wire (protocol 4). */
export const OPERATION = {
  connect: 1,
  createMessageStream: 2,
  deleteMessageStream: 3,
  appendMessage: 4,
  readMessages: 5,
  connectResponse: 6,
  createMessageStreamResponse: 7,
  deleteMessageStreamResponse: 8,
  appendMessageResponse: 9,
  readMessagesResponse: 10,
  listStreams: 11,
  listStreamsResponse: 12,
  describeMessageStream: 13,
  describeMessageStreamResponse: 14,
  updateMessageStream: 15,
  updateMessageStreamResponse: 16,
  unknownOperationError: 17
} as const

/** The operation with which each request is answered; what is not listed here is no request. */
const RESPONSE_OF: ReadonlyMap<number, number> = new Map([
  [OPERATION.connect, OPERATION.connectResponse],
  [OPERATION.createMessageStream, OPERATION.createMessageStreamResponse],
  [OPERATION.deleteMessageStream, OPERATION.deleteMessageStreamResponse],
  [OPERATION.appendMessage, OPERATION.appendMessageResponse],
  [OPERATION.readMessages, OPERATION.readMessagesResponse],
  [OPERATION.listStreams, OPERATION.listStreamsResponse],
  [OPERATION.describeMessageStream, OPERATION.describeMessageStreamResponse],
  [OPERATION.updateMessageStream, OPERATION.updateMessageStreamResponse]
])

/** The operation of the answer to a request; for anything that is no request, UnknownOperationError (protocol 4). */
export function responseOperationOf(operation: number): number {
  return RESPONSE_OF.get(operation) ?? OPERATION.unknownOperationError
}
