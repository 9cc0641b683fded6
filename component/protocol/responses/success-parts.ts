import { STATUS_SUCCESS } from '../status.ts'
import { MAJOR_MAP, MAJOR_UNSIGNED, preparedText } from './cbor-writer.ts'

/** The start of a successful answer with data: a map of four, up to the request id. */
export const SUCCESS_START = Buffer.concat([Buffer.from([MAJOR_MAP | 4]), preparedText('requestId')])

/** From behind the request id to the value of `dataKey`. */
export function successMiddle(dataKey: string): Buffer {
  return Buffer.concat([
    preparedText('status'),
    Buffer.from([MAJOR_UNSIGNED | STATUS_SUCCESS]),
    preparedText('errorMessage'),
    preparedText(''),
    preparedText(dataKey)
  ])
}
