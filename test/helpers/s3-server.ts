import { createHash, type Hash } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32 } from '../../component/base/crc32.ts'
import { answerError, type ServiceError } from './aws-model/errors.ts'
import { createGate } from './aws-model/gate.ts'
import { signedRegionOf } from './aws-model/signature.ts'
import { escapeXml } from './aws-model/xml.ts'
import type { Misbehaviour, S3Operation, S3Request, S3Server, StoredObject } from './aws-s3/server-types.ts'

export type { Misbehaviour, S3Operation, S3Request, S3Server, StoredObject } from './aws-s3/server-types.ts'

interface Part {
  readonly bytes: number
  readonly etag: string
  readonly crc: string
}

interface Upload {
  readonly bucket: string
  readonly key: string
  readonly metadata: Readonly<Record<string, string>>
  readonly parts: Map<number, Part>
  /** Over the parts in order; parts that were sent again with the same content count once. */
  readonly hash: Hash
  hashedParts: number
  isMixed: boolean
}

const MIB = 1024 * 1024
const PART_BYTES_MIN = 5 * MIB
const PART_NUMBER_MAX = 10_000
const OPERATIONS = [
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'ListParts',
  'CompleteMultipartUpload',
  'AbortMultipartUpload'
]

/** An answer of the service that is an error. */
class S3Error extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

function crcOf(bytes: Buffer): string {
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(bytes))
  return crc.toString('base64')
}

export async function startS3Server(buckets: readonly string[] = ['bucket']): Promise<S3Server> {
  const gate = createGate('s3', OPERATIONS)
  gate.region = undefined
  const objects = new Map<string, StoredObject>()
  const uploads = new Map<string, Upload>()
  const requests: S3Request[] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<unknown>()
  let receivedBytes = 0
  let uploadCount = 0
  let connectionsMade = 0

  const uploadOf = (id: string, { bucket, key }: S3Request): Upload => {
    const upload = uploads.get(id)
    if (upload === undefined || upload.bucket !== bucket || upload.key !== key) {
      throw new S3Error(404, 'NoSuchUpload', 'The specified multipart upload does not exist.')
    }
    return upload
  }

  const metadataOf = (headers: http.IncomingHttpHeaders): Record<string, string> =>
    Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => name.startsWith('x-amz-meta-'))
        .map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)])
    )

  const checkBody = (headers: http.IncomingHttpHeaders, body: Buffer): string => {
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length']) !== body.length) {
      throw new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.')
    }
    const crc = headers['x-amz-checksum-crc32']
    if (typeof crc !== 'string') throw new S3Error(400, 'InvalidRequest', 'a checksum is required here')
    if (crc !== crcOf(body)) throw new S3Error(400, 'BadDigest', 'The CRC32 you specified did not match.')
    return crc
  }

  const complete = (id: string, request: S3Request, body: string): string => {
    const upload = uploadOf(id, request)
    const listed = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
      etag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
      crc: /<ChecksumCRC32>(.*?)<\/ChecksumCRC32>/.exec(part)?.[1]
    }))
    if (listed.length === 0) throw new S3Error(400, 'MalformedXML', 'no parts')
    let bytes = 0
    for (const [index, { number, etag, crc }] of listed.entries()) {
      const part = upload.parts.get(number)
      if (index > 0 && number <= (listed[index - 1]?.number ?? 0)) {
        throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.')
      }
      if (part?.etag !== etag || part.crc !== crc) throw new S3Error(400, 'InvalidPart', 'One or more parts are wrong.')
      if (index < listed.length - 1 && part.bytes < PART_BYTES_MIN) {
        throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
      }
      bytes += part.bytes
    }
    uploads.delete(id)
    const { bucket, key, metadata } = upload
    objects.set(`${bucket}/${key}`, {
      bytes,
      sha256: upload.isMixed ? 'mixed' : upload.hash.digest('hex'),
      metadata,
      parts: listed.length
    })
    return `<CompleteMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><ETag>&quot;x-${listed.length}&quot;</ETag></CompleteMultipartUploadResult>`
  }

  const listParts = (id: string, request: S3Request, marker: number): string => {
    const { parts } = uploadOf(id, request)
    const behind = [...parts].sort(([left], [right]) => left - right).filter(([number]) => number > marker)
    const page = behind.slice(0, server.listPage)
    const items = page.map(
      ([number, part]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(part.etag)}</ETag><Size>${part.bytes}</Size><ChecksumCRC32>${part.crc}</ChecksumCRC32></Part>`
    )
    return `<ListPartsResult><Bucket>${request.bucket}</Bucket><Key>${escapeXml(request.key)}</Key><UploadId>${id}</UploadId><PartNumberMarker>${marker}</PartNumberMarker><NextPartNumberMarker>${page.at(-1)?.[0] ?? 0}</NextPartNumberMarker><IsTruncated>${page.length < behind.length}</IsTruncated>${items.join('')}</ListPartsResult>`
  }

  const serve = (
    request: S3Request,
    query: URLSearchParams,
    headers: http.IncomingHttpHeaders,
    body: Buffer
  ): { headers?: http.OutgoingHttpHeaders; xml?: string; status?: number } => {
    const { bucket, key } = request
    if (!buckets.includes(bucket)) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist')
    const id = query.get('uploadId') ?? ''
    switch (request.operation) {
      case 'PutObject': {
        checkBody(headers, body)
        const sha256 = createHash('sha256').update(body).digest('hex')
        objects.set(`${bucket}/${key}`, { bytes: body.length, sha256, metadata: metadataOf(headers), parts: 0 })
        return { headers: { etag: `"${sha256.slice(0, 32)}"` } }
      }
      case 'Create': {
        if (headers['x-amz-checksum-algorithm'] !== 'CRC32') throw new S3Error(400, 'InvalidRequest', 'no algorithm')
        uploadCount += 1
        const upload = `upload-${uploadCount}`
        uploads.set(upload, {
          bucket,
          key,
          metadata: metadataOf(headers),
          parts: new Map(),
          hash: createHash('sha256'),
          hashedParts: 0,
          isMixed: false
        })
        return {
          xml: `<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${upload}</UploadId></InitiateMultipartUploadResult>`
        }
      }
      case 'UploadPart': {
        const number = request.partNumber ?? 0
        if (number < 1 || number > PART_NUMBER_MAX) throw new S3Error(400, 'InvalidArgument', 'part number')
        const upload = uploadOf(id, request)
        const crc = checkBody(headers, body)
        const etag = `"${createHash('md5').update(body).digest('hex')}"`
        if (number === upload.hashedParts + 1) {
          upload.hash.update(body)
          upload.hashedParts = number
        } else if (upload.parts.get(number)?.etag !== etag) upload.isMixed = true
        upload.parts.set(number, { bytes: body.length, etag, crc })
        return { headers: { etag, 'x-amz-checksum-crc32': crc } }
      }
      case 'ListParts':
        return { xml: listParts(id, request, Number(query.get('part-number-marker') ?? 0)) }
      case 'Complete':
        return { xml: complete(id, request, body.toString()) }
      case 'Abort':
        uploadOf(id, request)
        uploads.delete(id)
        return { status: 204 }
    }
  }

  const operationOf = (method: string, query: URLSearchParams): S3Operation | undefined => {
    const hasUpload = query.has('uploadId')
    switch (method) {
      case 'PUT':
        return hasUpload ? 'UploadPart' : 'PutObject'
      case 'POST':
        return query.has('uploads') ? 'Create' : hasUpload ? 'Complete' : undefined
      case 'GET':
        return hasUpload ? 'ListParts' : undefined
      case 'DELETE':
        return hasUpload ? 'Abort' : undefined
      default:
        return undefined
    }
  }

  const fail = (response: http.ServerResponse, error: ServiceError): void => answerError(gate.model, error, response)

  /** @returns true when the request has been dealt with */
  const misbehaveNow = (wrong: Misbehaviour, request: http.IncomingMessage, response: http.ServerResponse): boolean => {
    if ('retryAfter' in wrong) {
      response.setHeader('retry-after', wrong.retryAfter)
      if ('date' in wrong) response.setHeader('date', wrong.date)
      else response.sendDate = false
    }
    switch (wrong.kind) {
      case 'error':
        fail(response, {
          name: wrong.code,
          status: wrong.status,
          message: 'as the test wants it',
          ...(wrong.region === undefined
            ? {}
            : { fields: { Region: wrong.region }, headers: { 'x-amz-bucket-region': wrong.region } })
        })
        return true
      case 'html':
        response.writeHead(wrong.status, { 'content-type': 'text/html' }).end('<html><body>Please log in</body></html>')
        return true
      case 'empty200':
        response.writeHead(200).end()
        return true
      case 'reset':
        request.socket.resetAndDestroy()
        return true
      case 'hang':
        return true
      case 'drip':
        request.socket.write('HTTP/1.1 20')
        return true
      case 'stuck':
      case 'early':
      case 'unended':
      case 'cutAfter':
        return false
    }
  }

  const handle = (incoming: http.IncomingMessage, response: http.ServerResponse): void => {
    const url = new URL(incoming.url ?? '/', 'http://localhost')
    const [, bucket = '', ...path] = url.pathname.split('/')
    const operation = operationOf(incoming.method ?? '', url.searchParams)
    const region = signedRegionOf(incoming.headers)
    if (operation === undefined || region === undefined) {
      fail(response, { name: 'AccessDenied', status: 403, message: 'not a signed request that this server knows' })
      return
    }
    const part = url.searchParams.get('partNumber')
    const key = decodeURIComponent(path.join('/'))
    const request = { operation, bucket, key, partNumber: part === null ? undefined : Number(part), region }
    requests.push(request)
    const wrong = server.misbehave(request)
    for (const check of waiting) check()
    if (wrong?.kind === 'early') {
      fail(response, { name: wrong.code, status: wrong.status, message: 'as the test wants it' })
      return
    }
    const chunks: Buffer[] = []
    incoming.on('error', () => undefined)
    if (wrong?.kind === 'unended') response.writeHead(wrong.status, { 'content-length': 1_000 }).write(' ')
    if (wrong?.kind === 'stuck' || wrong?.kind === 'unended') return
    incoming.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length
      chunks.push(chunk)
    })
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      if (wrong !== undefined && misbehaveNow(wrong, incoming, response)) return
      const { method = '', url: place = '', headers: received } = incoming
      if (gate.refuses({ method, url: place, headers: received, body }, response)) return
      try {
        const { headers = {}, xml, status = 200 } = serve(request, url.searchParams, incoming.headers, body)
        if (wrong?.kind === 'cutAfter') incoming.socket.resetAndDestroy()
        else response.writeHead(status, headers).end(xml)
      } catch (error) {
        if (!(error instanceof S3Error)) throw error
        fail(response, { name: error.code, status: error.status, message: error.message })
      }
    })
  }

  const httpServer = http.createServer(handle)
  httpServer.on('connection', (socket) => {
    sockets.add(socket)
    connectionsMade += 1
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve))
  const server: S3Server = {
    origin: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`,
    gate,
    requests,
    objects,
    get openUploads() {
      return [...uploads.keys()]
    },
    get receivedBytes() {
      return receivedBytes
    },
    get connectionsMade() {
      return connectionsMade
    },
    get connections() {
      return sockets.size
    },
    misbehave: () => undefined,
    listPage: 1_000,
    until: (wanted) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!requests.some(wanted)) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    spoilPart(id, number) {
      const upload = uploads.get(id)
      const part = upload?.parts.get(number)
      if (upload === undefined || part === undefined) throw new Error('there is no such part')
      upload.parts.set(number, { ...part, crc: 'AAAAAA==' })
    },
    dropUpload: (id) => void uploads.delete(id),
    close: () =>
      new Promise((resolve) => {
        httpServer.close(() => resolve())
        httpServer.closeAllConnections()
      })
  }
  return server
}
