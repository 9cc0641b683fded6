/**
 * A destination that answers as cheaply as it can, in a process of its own so that its work is not counted as the server's.
 * It counts records by looking for a word that each of them has once, and checks nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EndpointKind, Received } from './destination.ts'

/** Enough shards that the limits of none of them are reached. */
const SHARDS = 256
const RECORDS_MAX = 500
const RECORD_MARKS: Readonly<Record<EndpointKind, string | undefined>> = {
  kinesis: '"PartitionKey"',
  http: '"sequenceNumber"',
  s3: undefined,
  hanging: undefined
}

const kind = process.argv[2] as EndpointKind
const received = { records: 0, bytes: 0, requests: 0, done: 0 }

function countMarks(body: Buffer, mark: string): number {
  let count = 0
  for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + mark.length)) count += 1
  return count
}

function shardList(): string {
  const keys = 2n ** 128n / BigInt(SHARDS)
  const shards = Array.from({ length: SHARDS }, (_, index) => ({
    ShardId: `shardId-${String(index).padStart(12, '0')}`,
    HashKeyRange: {
      StartingHashKey: String(keys * BigInt(index)),
      EndingHashKey: String(keys * BigInt(index + 1) - 1n)
    },
    SequenceNumberRange: { StartingSequenceNumber: '1' }
  }))
  return JSON.stringify({ Shards: shards })
}

const RESULT = `{"SequenceNumber":"49590338271490256608559692538361571095921575989136588898","ShardId":"shardId-000000000001"}`
const PUT_ANSWERS = Array.from(
  { length: RECORDS_MAX + 1 },
  (_, count) => `{"FailedRecordCount":0,"Records":[${Array<string>(count).fill(RESULT).join(',')}]}`
)
const SHARD_LIST = shardList()

function answerKinesis(request: IncomingMessage, response: ServerResponse, records: number): void {
  const isPut = String(request.headers['x-amz-target']).endsWith('.PutRecords')
  response.setHeader('content-type', 'application/x-amz-json-1.1')
  response.end(isPut ? PUT_ANSWERS[records] : SHARD_LIST)
}

/** Sizes of the parts of the one upload that there is. */
const parts = new Map<number, { readonly bytes: number; readonly crc: string }>()

function answerS3(request: IncomingMessage, response: ServerResponse, bytes: number): void {
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams
  if (request.method === 'PUT') {
    const crc = String(request.headers['x-amz-checksum-crc32'])
    parts.set(Number(query.get('partNumber')), { bytes, crc })
    response.writeHead(200, { etag: '"e"' }).end()
  } else if (request.method === 'GET') {
    const marker = Number(query.get('part-number-marker') ?? 0)
    const listed = [...parts].filter(([number]) => number > marker).slice(0, 1_000)
    const isTruncated = listed.length === 1_000
    const items = listed.map(
      ([number, part]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>"e"</ETag><Size>${part.bytes}</Size><ChecksumCRC32>${part.crc}</ChecksumCRC32></Part>`
    )
    response.end(
      `<ListPartsResult><UploadId>u</UploadId><IsTruncated>${isTruncated}</IsTruncated>${items.join('')}</ListPartsResult>`
    )
  } else if (query.has('uploads')) {
    response.end(`<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`)
  } else {
    received.done += 1
    response.end(`<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>`)
  }
}

const server = createServer((request, response) => {
  const mark = RECORD_MARKS[kind]
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (mark !== undefined) chunks.push(chunk)
  })
  request.on('end', () => {
    const records = mark === undefined ? 0 : countMarks(Buffer.concat(chunks, bytes), mark)
    received.records += records
    received.bytes += bytes
    received.requests += 1
    switch (kind) {
      case 'kinesis':
        answerKinesis(request, response, records)
        return
      case 'http':
        response.end()
        return
      case 's3':
        answerS3(request, response, bytes)
        return
      case 'hanging':
    }
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
// Whoever asked for it has gone.
process.on('disconnect', () => process.exit())
process.on('message', () => process.send?.(received satisfies Received))
