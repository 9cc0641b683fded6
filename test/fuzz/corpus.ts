import { encodeMap } from '../helpers/protocol-payloads.ts'
import { CLIENTS, requestVectors } from '../helpers/vectors.ts'

/** Requests that the official clients sent, as recorded. */
export interface GoldenRequest {
  readonly operation: number
  readonly frame: Buffer
  readonly payload: Buffer
}

const FRAME_BYTES_MAX = 4_096

export const GOLDEN_REQUESTS: readonly GoldenRequest[] = CLIENTS.flatMap(requestVectors).flatMap(({ frame }) => {
  if (frame?.hex === undefined) return []
  const bytes = Buffer.from(frame.hex, 'hex')
  if (bytes.length > FRAME_BYTES_MAX) return []
  return [{ operation: frame.op, frame: bytes, payload: bytes.subarray(5) }]
})

/** A definition with every kind of export and every field. */
const FULL_DEFINITION = encodeMap({
  requestId: 'full',
  definition: {
    name: 'full',
    maxSize: 300_000_000,
    streamSegmentSize: 16_777_216,
    timeToLiveMillis: 86_400_000,
    strategyOnFull: 1,
    persistence: 0,
    flushOnWrite: true,
    exportDefinition: {
      http: [{ identifier: 'h', uri: 'http://10.0.0.1:80/a', batchSize: 5, batchIntervalMillis: 60_000, priority: 1 }],
      iotAnalytics: [{ identifier: 'a', iotChannel: 'c', iotMsgIdPrefix: 'p', startSequenceNumber: 0 }],
      kinesis: [{ identifier: 'k', kinesisStreamName: 'k', disabled: true }],
      IotSitewise: [{ identifier: 's', batchSize: 10 }],
      s3TaskExecutor: [
        {
          identifier: 't',
          sizeThresholdForMultipartUploadBytes: 5_242_880,
          statusConfig: { statusLevel: 2, statusStreamName: 'status' }
        }
      ]
    }
  }
})

export const GOLDEN_PAYLOADS: readonly Buffer[] = [...GOLDEN_REQUESTS.map(({ payload }) => payload), FULL_DEFINITION]
