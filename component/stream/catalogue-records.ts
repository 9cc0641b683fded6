import type { Catalogue, CatalogueChange } from '../store/catalogue/change.ts'
import type { LogState, SegmentSummary } from '../store/stream-log.ts'

/**
 * What the catalogue holds, by key. Values are JSON but for definitions, which are CBOR as on the wire. A value that
 * cannot be read counts as absent: the segments can tell the same, only slower.
 *
 *     stream/<id>               definition
 *     state/<id>                LogState: which numbers are given, dropped, durable
 *     segment/<id>/<base>       SegmentSummary of a sealed segment
 *     export/<id>/<identifier>  progress of one export; <identifier>/<number> of one that has ended with unfinished tasks
 *     removed/<id>              what retention has removed, and why (removals.ts)
 *     declared/<id>             definition that a deployment declared when the stream was last made so (declare/apply.ts)
 *     deleted/<id>              name of the folder of a deleted stream that may still be there
 *     boot                      boot id of the machine when the store was last opened
 */
export const catalogueKeys = {
  stream: (id: string) => `stream/${id}`,
  state: (id: string) => `state/${id}`,
  segment: (id: string, base: number) => `segment/${id}/${base}`,
  exportProgress: (id: string, identifier: string) => `export/${id}/${identifier}`,
  removed: (id: string) => `removed/${id}`,
  declared: (id: string) => `declared/${id}`,
  deleted: (id: string) => `deleted/${id}`,
  boot: 'boot'
} as const

/** A catalogue key taken apart. */
export interface CatalogueKey {
  readonly kind: string
  readonly streamId: string
  /** The rest behind the second slash. */
  readonly detail: string
}

export function parseCatalogueKey(key: string): CatalogueKey {
  const [kind = '', streamId = '', ...rest] = key.split('/')
  return { kind, streamId, detail: rest.join('/') }
}

/** The removal of all records of a stream, its tombstone included. Takes time for all records of the catalogue. */
export function removalOf(catalogue: Catalogue, streamId: string): CatalogueChange[] {
  const keys = [...catalogue.entries().keys()].filter((key) => parseCatalogueKey(key).streamId === streamId)
  return keys.map((key) => ({ key, value: undefined }))
}

export function encodeState(state: LogState): Buffer {
  const { oldest, next, durable } = state
  return Buffer.from(
    JSON.stringify([oldest, next, durable.segmentBase, durable.offset, durable.next, durable.lastIngestMs])
  )
}

export function decodeState(bytes: Buffer | undefined): LogState | undefined {
  const numbers = parseNumbers(bytes, 6)
  if (numbers === undefined) return undefined
  const [oldest, next, segmentBase, offset, durableNext, lastIngestMs] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number
  ]
  return { oldest, next, durable: { segmentBase, offset, next: durableNext, lastIngestMs } }
}

export function encodeSummary(summary: SegmentSummary): Buffer {
  return Buffer.from(JSON.stringify([summary.base, summary.next, summary.bytes, summary.lastIngestMs]))
}

export function decodeSummary(bytes: Buffer): SegmentSummary | undefined {
  const numbers = parseNumbers(bytes, 4)
  if (numbers === undefined) return undefined
  const [base, next, recordBytes, lastIngestMs] = numbers as [number, number, number, number]
  return { base, next, bytes: recordBytes, lastIngestMs }
}

function parseNumbers(bytes: Buffer | undefined, count: number): number[] | undefined {
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString())
    const isValid =
      Array.isArray(value) && value.length === count && value.every((item) => Number.isSafeInteger(item) && item >= 0)
    return isValid ? (value as number[]) : undefined
  } catch {
    return undefined
  }
}
