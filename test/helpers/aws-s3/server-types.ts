import type { Gate } from '../aws-model/gate.ts'

/** What a stand-in for S3 holds of an object: its bytes are checked and counted, not kept. */
export interface StoredObject {
  readonly bytes: number
  readonly sha256: string
  readonly metadata: Readonly<Record<string, string>>
  /** Parts it was put together from; 0 for a single PUT. */
  readonly parts: number
}

/** One request, as it came. */
export interface S3Request {
  readonly operation: S3Operation
  readonly bucket: string
  readonly key: string
  readonly partNumber: number | undefined
  /** Region that the request was signed for. */
  readonly region: string
}

export type S3Operation = 'PutObject' | 'Create' | 'UploadPart' | 'ListParts' | 'Complete' | 'Abort'

/** What a test wants to happen instead of a proper answer. */
export type Misbehaviour =
  | {
      readonly kind: 'error'
      readonly status: number
      readonly code: string
      readonly region?: string
      readonly retryAfter?: string
      /** The time of the server; an answer that asks for a pause tells none by default. */
      readonly date?: string
    }
  /** Answers before the body has come. */
  | { readonly kind: 'early'; readonly status: number; readonly code: string }
  | { readonly kind: 'html'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'reset' | 'hang' | 'empty200' }
  /** Begins an answer and never ends its first line. */
  | { readonly kind: 'drip' }
  /** Reads nothing of the body. */
  | { readonly kind: 'stuck' }
  /** Begins an answer before the body has come, and neither ends it nor reads the body. */
  | { readonly kind: 'unended'; readonly status: number }
  /** Does the work, then cuts the connection. */
  | { readonly kind: 'cutAfter' }

/**
 * A stand-in for S3, as strict as the service: it refuses requests whose signature or form is wrong, bodies that are not
 * those of their checksum, parts that are too small or out of order. Buckets are reached by path, and are in whatever
 * region a request is signed for, unless its gate says where they are.
 */
export interface S3Server {
  readonly origin: string
  /** Checks signature and form of each request. */
  readonly gate: Gate
  readonly requests: S3Request[]
  readonly objects: ReadonlyMap<string, StoredObject>
  /** Ids of uploads that are neither completed nor aborted. */
  readonly openUploads: readonly string[]
  /** Bytes of bodies received so far. */
  readonly receivedBytes: number
  /** Connections that are open now. */
  readonly connections: number
  /** Connections that were ever made. */
  readonly connectionsMade: number
  /** Decides on each request before it is served; undefined for a proper answer. */
  misbehave: (request: S3Request) => Misbehaviour | undefined
  /** Parts in one answer of ListParts. */
  listPage: number
  /** Resolves once a request has come for which `wanted` holds. */
  until(wanted: (request: S3Request) => boolean): Promise<void>
  /** Forgets an upload, as a bucket's rule does. */
  dropUpload(id: string): void
  /** Makes a part another one of the same size. */
  spoilPart(id: string, number: number): void
  close(): Promise<void>
}
