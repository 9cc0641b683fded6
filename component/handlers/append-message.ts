import { success } from '../model/failure.ts'
import { encodeAppendResponse, parseAppendMessage, type AppendMessageRequest } from '../protocol/index.ts'
import type { Operation } from './operation.ts'

/** AppendMessage (behaviour 3.3): acknowledged after the durability that the stream promises. */
export const appendMessage: Operation<AppendMessageRequest, number> = {
  parse: parseAppendMessage,
  handle({ streamName, payload }, { registry, appended }, _caller, done) {
    const stream = registry.get(streamName)
    if (stream === undefined) {
      done({ ok: false, failure: registry.whyAbsent(streamName) })
      return
    }
    const { length } = payload
    stream.append(payload, (failure, sequenceNumber) => {
      if (failure === undefined) appended(length)
      done(failure === undefined ? success(sequenceNumber) : { ok: false, failure })
    })
  },
  encode: encodeAppendResponse
}
