import { beginReadResponse } from '../../component/protocol/index.ts'

/** The whole frame of a read answer, written at once. */
export function encodeReadResponse(...parts: Parameters<typeof beginReadResponse>): Buffer {
  const response = beginReadResponse(...parts)
  response.write(Infinity)
  return response.frame
}
