import { assert } from '../../base/assert.ts'
import type { HttpExportFormat } from '../../model/export-definition.ts'
import type { StoredMessage } from '../../model/message.ts'
import { createJsonBody } from '../json-body.ts'
import { jsonElementBytesMax } from './limits.ts'

/** The brackets. */
const JSON_ARRAY_BYTES = 2

/** Everything of a POST but its target. Header names are in lower case. */
export interface HttpExportRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/**
 * The request for a batch (behaviour 7): the payload alone with its numbers in headers, or a JSON array. A stream name may
 * begin or end with blanks, which headers lose: it is percent-encoded there.
 * @param batch exactly one message for the raw format
 */
export function httpExportRequest(
  streamName: string,
  format: HttpExportFormat,
  batch: readonly StoredMessage[]
): HttpExportRequest {
  return format === 'jsonBatched' ? jsonRequest(streamName, batch) : rawRequest(streamName, batch)
}

function rawRequest(streamName: string, batch: readonly StoredMessage[]): HttpExportRequest {
  const [message, second] = batch
  assert(message !== undefined && second === undefined, 'a raw request holds one message')
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'x-stream-name': encodeURIComponent(streamName),
      'x-sequence-number': String(message.sequenceNumber),
      'x-ingest-time': String(message.ingestTimeMs)
    },
    // The memory of the batch goes back with the outcome, while the rest of a body may still be on its way.
    body: Buffer.from(message.payload)
  }
}

function jsonRequest(streamName: string, batch: readonly StoredMessage[]): HttpExportRequest {
  const name = JSON.stringify(streamName)
  const bodyBytesMax = batch.reduce(
    (sum, message) => sum + jsonElementBytesMax(message.payload.length),
    JSON_ARRAY_BYTES
  )
  const body = createJsonBody(bodyBytesMax)
  let separator = '['
  for (const { sequenceNumber, ingestTimeMs, payload } of batch) {
    body.add(
      `${separator}{"streamName":${name},"sequenceNumber":${sequenceNumber},"ingestTime":${ingestTimeMs},"payload":"`,
      payload
    )
    separator = '"},'
  }
  body.add('"}]')
  return {
    headers: { 'content-type': 'application/json', 'x-stream-name': encodeURIComponent(streamName) },
    body: body.finish()
  }
}
