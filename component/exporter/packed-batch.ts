import { assert } from '../base/assert.ts'
import type { StoredMessage } from '../model/message.ts'

/*
 * A batch in one ArrayBuffer, so that it crosses threads without a copy per message:
 *
 *     count | count × (sequence number, ingest time, payload length)    doubles in the machine's byte order
 *     payloads, one behind the other | anything
 */
const FIELDS = 3
const DOUBLE_BYTES = 8

/**
 * Copies a batch into memory that may be transferred.
 * @param take gives memory of so many bytes or more
 */
export function packBatch(messages: readonly StoredMessage[], take: (bytes: number) => ArrayBuffer): ArrayBuffer {
  const indexBytes = (1 + messages.length * FIELDS) * DOUBLE_BYTES
  const payloadBytes = messages.reduce((sum, message) => sum + message.payload.length, 0)
  const packed = take(indexBytes + payloadBytes)
  const index = new Float64Array(packed, 0, indexBytes / DOUBLE_BYTES)
  const bytes = new Uint8Array(packed)
  index[0] = messages.length
  let field = 1
  let offset = indexBytes
  for (const { sequenceNumber, ingestTimeMs, payload } of messages) {
    index[field] = sequenceNumber
    index[field + 1] = ingestTimeMs
    index[field + 2] = payload.length
    field += FIELDS
    bytes.set(payload, offset)
    offset += payload.length
  }
  return packed
}

/** The batch in packed memory; its payloads are views into it, which are empty once the memory is transferred. */
export function unpackBatch(packed: ArrayBuffer): StoredMessage[] {
  const [count = 0] = new Float64Array(packed, 0, 1)
  const index = new Float64Array(packed, DOUBLE_BYTES, count * FIELDS)
  const messages: StoredMessage[] = []
  let offset = DOUBLE_BYTES + index.byteLength
  for (let field = 0; field < index.length; field += FIELDS) {
    const length = index[field + 2] ?? 0
    const payload = Buffer.from(packed, offset, length)
    messages.push({ sequenceNumber: index[field] ?? 0, ingestTimeMs: index[field + 1] ?? 0, payload })
    offset += length
  }
  assert(offset <= packed.byteLength, 'a packed batch holds its last payload')
  return messages
}
