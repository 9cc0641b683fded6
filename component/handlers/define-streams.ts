import {
  encodeSuccess,
  OPERATION,
  parseCreateMessageStream,
  parseDeleteMessageStream,
  parseUpdateMessageStream,
  type DefinitionRequest,
  type StreamNameRequest
} from '../protocol/index.ts'
import type { Operation } from './operation.ts'
import { settle } from './settle.ts'

/** CreateMessageStream (behaviour 3.2). */
export const createMessageStream: Operation<DefinitionRequest, void> = {
  parse: (payload, { definitionRules }) => parseCreateMessageStream(payload, definitionRules),
  handle: ({ definition }, { registry }, _caller, done) => settle(registry.create(definition), done),
  encode: (requestId) => encodeSuccess(OPERATION.createMessageStream, requestId)
}

/** UpdateMessageStream (behaviour 3.7): the request carries the whole new definition. */
export const updateMessageStream: Operation<DefinitionRequest, void> = {
  parse: (payload, { definitionRules }) => parseUpdateMessageStream(payload, definitionRules),
  handle: ({ definition }, { registry }, _caller, done) => settle(registry.update(definition), done, 'updateFailed'),
  encode: (requestId) => encodeSuccess(OPERATION.updateMessageStream, requestId)
}

/** DeleteMessageStream (behaviour 3.8). */
export const deleteMessageStream: Operation<StreamNameRequest, void> = {
  parse: parseDeleteMessageStream,
  handle: ({ streamName }, { registry }, _caller, done) => settle(registry.delete(streamName), done),
  encode: (requestId) => encodeSuccess(OPERATION.deleteMessageStream, requestId)
}
