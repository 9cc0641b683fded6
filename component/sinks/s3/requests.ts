import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client
} from '@aws-sdk/client-s3'
import type { FileHandle } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import type { Pace } from '../../export/task.ts'
import { bodyOf, crcText, type FileRange } from './body.ts'
import { createRequestGuard, inTime } from './request-guard.ts'

/** Where an object goes. Both reach the SDK as parameters, never a URL (reliability 6.2 W3). */
export interface ObjectName {
  readonly bucket: string
  readonly key: string
}

/** The content of a request: a range of a file. */
export interface Content {
  readonly handle: FileHandle
  readonly range: FileRange
  /** CRC-32 of the range: the service refuses other bytes. */
  readonly crc: number
}

/** A part as the service holds it. */
export interface StoredPart {
  readonly number: number
  readonly bytes: number
  readonly etag: string
  /** CRC-32 as text; absent at endpoints that do not keep it. */
  readonly crc: string | undefined
}

/** The requests of uploads. All of them throw what the SDK throws, and also when an answer lacks what it must have. */
export interface Requests {
  put(
    object: ObjectName,
    content: Content,
    metadata: Readonly<Record<string, string>>,
    signal: AbortSignal
  ): Promise<void>
  /** @returns the upload id */
  begin(object: ObjectName, metadata: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string>
  putPart(object: ObjectName, upload: string, number: number, content: Content, signal: AbortSignal): Promise<void>
  /** Parts behind the given number, in order; one page of them. */
  listParts(
    object: ObjectName,
    upload: string,
    after: number,
    signal: AbortSignal
  ): Promise<{ readonly parts: readonly StoredPart[]; readonly isLast: boolean }>
  complete(object: ObjectName, upload: string, parts: readonly StoredPart[], signal: AbortSignal): Promise<void>
  abort(object: ObjectName, upload: string, signal: AbortSignal): Promise<void>
}

/** An answer of status 200 that is none of S3's (reliability 5.4 CD5). */
export class InvalidResponse extends Error {
  override readonly name = 'InvalidResponse'
}

const named = ({ bucket, key }: ObjectName): { readonly Bucket: string; readonly Key: string } => ({
  Bucket: bucket,
  Key: key
})

function required(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw new InvalidResponse(`the answer has no ${what}`)
  return value
}

/** @param chunkBytes a body is read and paced in chunks of at most this size */
export function createRequests(client: S3Client, pace: Pace, chunkBytes: number, clock: Clock): Requests {
  /**
   * Sends a content. A file that fails while it is read ends the request, and so does an answer that came before the
   * whole content was sent: its connection cannot be used again.
   */
  const sendContent = async <Answer>(
    { handle, range }: Content,
    signal: AbortSignal,
    send: (body: ReturnType<typeof bodyOf>, signal: AbortSignal) => Promise<Answer>
  ): Promise<Answer> => {
    const guard = createRequestGuard(clock, signal)
    const body = bodyOf(handle, range, chunkBytes, pace, guard)
    body.on('error', (error: Error) => guard.fail(error))
    try {
      return await send(body, guard.signal)
    } catch (error) {
      throw guard.failure ?? error
    } finally {
      guard.end(!body.readableEnded)
      body.destroy()
    }
  }

  return {
    put: (object, content, metadata, signal) =>
      sendContent(content, signal, async (body, abortSignal) => {
        const { ETag } = await client.send(
          new PutObjectCommand({
            ...named(object),
            Body: body,
            ContentLength: content.range.bytes,
            ChecksumCRC32: crcText(content.crc),
            Metadata: { ...metadata }
          }),
          { abortSignal }
        )
        required(ETag, 'ETag')
      }),
    async begin(object, metadata, signal) {
      const command = new CreateMultipartUploadCommand({
        ...named(object),
        ChecksumAlgorithm: 'CRC32',
        Metadata: { ...metadata }
      })
      const { UploadId } = await inTime(clock, signal, (abortSignal) => client.send(command, { abortSignal }))
      return required(UploadId, 'upload id')
    },
    putPart: (object, upload, number, content, signal) =>
      sendContent(content, signal, async (body, abortSignal) => {
        const { ETag } = await client.send(
          new UploadPartCommand({
            ...named(object),
            UploadId: upload,
            PartNumber: number,
            Body: body,
            ContentLength: content.range.bytes,
            ChecksumCRC32: crcText(content.crc)
          }),
          { abortSignal }
        )
        required(ETag, 'ETag')
      }),
    async listParts(object, upload, after, signal) {
      const command = new ListPartsCommand({ ...named(object), UploadId: upload, PartNumberMarker: String(after) })
      const answer = await inTime(clock, signal, (abortSignal) => client.send(command, { abortSignal }))
      const { UploadId, Parts = [], IsTruncated } = answer
      required(UploadId, 'upload id')
      const parts = Parts.map(({ PartNumber = 0, Size = 0, ETag, ChecksumCRC32: crc }) => {
        return { number: PartNumber, bytes: Size, etag: required(ETag, 'ETag of a part'), crc }
      })
      return { parts, isLast: IsTruncated !== true || parts.length === 0 }
    },
    /** The service may take minutes: it keeps the connection alive with spaces, and the handler bounds the time. */
    async complete(object, upload, parts, signal) {
      const command = new CompleteMultipartUploadCommand({
        ...named(object),
        UploadId: upload,
        MultipartUpload: { Parts: parts.map(completedPart) }
      })
      required((await client.send(command, { abortSignal: signal })).ETag, 'ETag')
    },
    async abort(object, upload, signal) {
      const command = new AbortMultipartUploadCommand({ ...named(object), UploadId: upload })
      await inTime(clock, signal, (abortSignal) => client.send(command, { abortSignal }))
    }
  }
}

function completedPart({ number, etag, crc }: StoredPart): CompletedPart {
  return { PartNumber: number, ETag: etag, ...(crc === undefined ? {} : { ChecksumCRC32: crc }) }
}
