import { assert } from '../base/assert.ts'

/** Payloads up to this size are put into the text around them: one write of both costs less than two. */
const INLINE_BYTES_MAX = 4 * 1024
/** Longer payloads are encoded piece by piece, so that their text never lies in memory as a whole; a multiple of 3. */
const PIECE_BYTES = 24 * 1024

/** Bytes of a payload in base64. */
export const base64Bytes = (payloadBytes: number): number => Math.ceil(payloadBytes / 3) * 4

/** A text as JSON that is pure ASCII. */
export function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

/**
 * Writes JSON with payloads in base64 into one buffer, without a text of the whole: requests of many records spend most of
 * their time here.
 */
export interface JsonBody {
  /** Appends JSON, of ASCII characters only; `payload` in base64 behind it, if there is one. */
  add(json: string, payload?: Buffer): void
  /** The body. Nothing may be added any more. */
  finish(): Buffer
}

/** @param bytesMax at least the length of what will be added; memory for it is set aside at once */
export function createJsonBody(bytesMax: number): JsonBody {
  const body = Buffer.allocUnsafeSlow(bytesMax)
  let length = 0
  const write = (ascii: string): void => {
    const bytes = body.write(ascii, length, 'latin1')
    assert(bytes === ascii.length, 'a body is as long as was said at most')
    length += bytes
  }
  return {
    add(json, payload) {
      if (payload === undefined) write(json)
      else if (payload.length <= INLINE_BYTES_MAX) write(json + payload.toString('base64'))
      else {
        write(json)
        for (let start = 0; start < payload.length; start += PIECE_BYTES) {
          write(payload.toString('base64', start, Math.min(payload.length, start + PIECE_BYTES)))
        }
      }
    },
    finish: () => body.subarray(0, length)
  }
}
