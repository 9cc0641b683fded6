import { join } from 'node:path'

/** A segment made ahead of time; it gets its real name when it is needed. */
export const SPARE_NAME = 'spare.log'
/** Records on their way from a file whose sync failed; worthless until it is renamed. */
export const COPY_NAME = 'copy.log'
/** Bytes that a recovery cut off. */
export const CORRUPT_SUFFIX = '.corrupt'

/** Numbers at or above this are never given, so that arithmetic with them stays exact. */
export const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER - 2 ** 32

const SEGMENT_NAME = /^\d{19}\.log$/

/** File name of the segment that begins with number `base` (behaviour 4.1). */
export function segmentName(base: number): string {
  return `${String(base).padStart(19, '0')}.log`
}

export function segmentPath(folder: string, base: number): string {
  return join(folder, segmentName(base))
}

/** The base in a segment's file name; undefined for other names. */
export function parseSegmentName(name: string): number | undefined {
  if (!SEGMENT_NAME.test(name)) return undefined
  const base = Number(name.slice(0, 19))
  return base <= SEQUENCE_MAX ? base : undefined
}
