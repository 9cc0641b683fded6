import { success } from '../model/failure.ts'
import type { StreamInfo } from '../model/stream-info.ts'
import {
  encodeDescribeResponse,
  encodeListResponse,
  parseDescribeMessageStream,
  parseListStreams,
  type StreamNameRequest
} from '../protocol/index.ts'
import type { Operation } from './operation.ts'

/** ListStreams (behaviour 3.5). */
export const listStreams: Operation<unknown, readonly string[]> = {
  parse: parseListStreams,
  handle: (_request, { registry }, _caller, done) => done(success(registry.list())),
  encode: encodeListResponse
}

/** DescribeMessageStream (behaviour 3.6). */
export const describeMessageStream: Operation<StreamNameRequest, StreamInfo> = {
  parse: parseDescribeMessageStream,
  handle({ streamName }, services, _caller, done) {
    const stream = services.registry.get(streamName)
    if (stream === undefined) {
      done({ ok: false, failure: services.registry.whyAbsent(streamName) })
      return
    }
    done(
      success({
        definition: stream.definition,
        storageStatus: stream.storageStatus(),
        exportStatuses: services.exportStatuses(stream.id)
      })
    )
  },
  encode: encodeDescribeResponse
}
