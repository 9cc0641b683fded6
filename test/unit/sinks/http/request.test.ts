import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpLimits } from '../../../../component/sinks/http/limits.ts'
import { httpExportRequest } from '../../../../component/sinks/http/request.ts'
import { httpExport } from '../../../helpers/export-harness.ts'

const first = { sequenceNumber: 7, ingestTimeMs: 1_700_000_000_000, payload: Buffer.from([0, 255, 62]) }
const second = { sequenceNumber: 8, ingestTimeMs: 1_700_000_000_001, payload: Buffer.from('hi') }

test('a raw request is the payload with its numbers in headers', () => {
  const { headers, body } = httpExportRequest(' a,b ', 'rawNotBatched', [first])
  assert.deepEqual(body, first.payload)
  assert.deepEqual(headers, {
    'content-type': 'application/octet-stream',
    'x-stream-name': '%20a%2Cb%20',
    'x-sequence-number': '7',
    'x-ingest-time': '1700000000000'
  })
})

test('a JSON request is an array of messages with padded base64', () => {
  const { headers, body } = httpExportRequest('s', 'jsonBatched', [first, second])
  assert.equal(
    body.toString(),
    '[{"streamName":"s","sequenceNumber":7,"ingestTime":1700000000000,"payload":"AP8+"},' +
      '{"streamName":"s","sequenceNumber":8,"ingestTime":1700000000001,"payload":"aGk="}]'
  )
  assert.equal(headers['content-type'], 'application/json')
})

test('the size that the batch counts is never below the size of the body', () => {
  const limits = httpLimits(httpExport({ exportFormat: 'jsonBatched' }))
  const name = 'n'.repeat(255)
  for (const bytes of [1, 2, 3, 1_000]) {
    const message = { sequenceNumber: 2 ** 53 - 1, ingestTimeMs: 2 ** 53 - 1, payload: Buffer.alloc(bytes) }
    assert.ok(httpExportRequest(name, 'jsonBatched', [message]).body.length <= limits.sizeOf(message.payload.length))
  }
})

test('raw requests hold one message, also when the format is absent', () => {
  assert.equal(httpLimits({ kind: 'http', identifier: 'e', uri: 'http://h/' }).countMax, 1)
  assert.equal(httpLimits(httpExport()).countMax, 500)
})
