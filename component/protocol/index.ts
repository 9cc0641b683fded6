export { decodeDefinition, encodeDefinition } from './definition-codec.ts'
export { CLIENT_DEFINITION_RULES, DEVELOPER_DEFINITION_RULES, type DefinitionRules } from './definition-fields.ts'
export { encodeFrame, FrameDecoder, type FrameEvents, type FrameViolation } from './frame.ts'
export type { MemoryBudget } from './frame-collector.ts'
export { OPERATION } from './operations.ts'
export { emptyAppendParts, hashId, readUsualAppend, type AppendParts } from './requests/append-fast-path.ts'
export { parseAppendMessage, type AppendMessageRequest } from './requests/append-message.ts'
export { parseConnect, type ConnectRequest } from './requests/connect.ts'
export { parseCreateMessageStream, parseUpdateMessageStream, type DefinitionRequest } from './requests/definition.ts'
export { parseListStreams } from './requests/list-streams.ts'
export { parseDeleteMessageStream, parseDescribeMessageStream, type StreamNameRequest } from './requests/stream-name.ts'
export { parseReadMessages, type ReadMessagesRequest } from './requests/read-messages.ts'
export { recoverRequestId, type ParsedRequest } from './requests/request.ts'
export { appendResponseBytes, encodeAppendResponse, writeAppendResponse } from './responses/append-message.ts'
export { encodeConnectResponse, type ConnectResponse } from './responses/connect.ts'
export { encodeDescribeResponse } from './responses/describe-message-stream.ts'
export { encodeListResponse } from './responses/list-streams.ts'
export {
  beginReadResponse,
  encodeReadResponse,
  readResponseBytes,
  type ReadResponse
} from './responses/read-messages.ts'
export { encodeFailure, encodeSuccess } from './responses/result.ts'
export { CONNECT_VERSION, negotiateProtocolVersion, type ProtocolVersion } from './versions.ts'
