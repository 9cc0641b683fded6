/** A payload that says which message it is and whose every byte can be checked. */
export interface Mark {
  /** Tells a stream from an earlier one of the same name. */
  readonly incarnation: number
  /** Counts the messages of the incarnation in the order in which they were sent. */
  readonly count: number
}

const FILLER_BYTES_MAX = 600

/** The payload of a mark: always the same, 8 to 620 bytes. */
export function markedPayload({ incarnation, count }: Mark): Buffer {
  const mixed = Math.imul(incarnation * 7919 + count + 1, 0x9e3779b1) >>> 0
  const filler = Buffer.alloc(mixed % FILLER_BYTES_MAX, `${mixed.toString(36)}|`)
  return Buffer.concat([Buffer.from(`${incarnation}:${count}:`), filler])
}

/** The mark of a payload, or undefined when any byte of it is not as it was sent. */
export function readMark(payload: Buffer): Mark | undefined {
  const [, incarnation, count] = /^(\d+):(\d+):/.exec(payload.toString('latin1', 0, 40)) ?? []
  if (incarnation === undefined || count === undefined) return undefined
  const mark = { incarnation: Number(incarnation), count: Number(count) }
  return markedPayload(mark).equals(payload) ? mark : undefined
}
