import type { ExportStatus, StreamInfo } from '../../model/stream-info.ts'
import { wireInteger, type WireMap } from '../cbor-encoder.ts'
import { definitionToWire } from '../definition-codec.ts'
import { OPERATION } from '../operations.ts'
import { encodeSuccess } from './result.ts'

/** The answer to DescribeMessageStream (protocol 5.6, behaviour 3.6). */
export function encodeDescribeResponse(requestId: string, info: StreamInfo): Buffer {
  const { oldestSequenceNumber, newestSequenceNumber, totalBytes } = info.storageStatus
  const messageStreamInfo = {
    definition: definitionToWire(info.definition),
    storageStatus: {
      oldestSequenceNumber: wireInteger(oldestSequenceNumber),
      newestSequenceNumber: wireInteger(newestSequenceNumber),
      totalBytes: wireInteger(totalBytes)
    },
    exportStatuses: info.exportStatuses.map(exportStatusToWire)
  }
  return encodeSuccess(OPERATION.describeMessageStream, requestId, { messageStreamInfo })
}

function exportStatusToWire(status: ExportStatus): WireMap {
  const { lastExportTimeMs, errorMessage } = status
  return {
    exportConfigIdentifier: status.exportConfigIdentifier,
    lastExportedSequenceNumber: wireInteger(status.lastExportedSequenceNumber),
    ...(lastExportTimeMs === undefined ? {} : { lastExportTime: wireInteger(lastExportTimeMs) }),
    ...(errorMessage === undefined ? {} : { errorMessage }),
    exportedBytesFromStream: wireInteger(status.exportedBytesFromStream),
    exportedMessagesCount: wireInteger(status.exportedMessagesCount)
  }
}
