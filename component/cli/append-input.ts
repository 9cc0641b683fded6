import { Fault } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'

/** How bytes from files and standard input become messages. */

/** Longest message that is gathered in memory. */
const MESSAGE_BYTES_MAX = 512 * MIB

function assertFits(bytes: number): void {
  if (bytes > MESSAGE_BYTES_MAX) throw new Fault(`a message of the input has more than ${MESSAGE_BYTES_MAX} bytes`)
}

/** All of the input as one message. */
export async function* wholeInput(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    bytes += chunk.length
    assertFits(bytes)
  }
  if (bytes === 0) throw new Fault('the input is empty, and a message has one byte or more')
  yield Buffer.concat(chunks)
}

/** Each line that is not empty, without its end. */
export async function* inputLines(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  const finish = (part: Buffer): Buffer => {
    const line = parts.length === 0 ? part : Buffer.concat([...parts, part])
    parts = []
    bytes = 0
    return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
  }
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      const line = finish(chunk.subarray(start, end))
      start = end + 1
      if (line.length > 0) yield line
    }
    if (start === chunk.length) continue
    parts.push(chunk.subarray(start))
    bytes += chunk.length - start
    assertFits(bytes)
  }
  const rest = finish(Buffer.alloc(0))
  if (rest.length > 0) yield rest
}

/** The payloads of lines that `salvage` and `tail --json` write. */
export async function* salvagedInput(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let number = 0
  for await (const line of inputLines(input)) {
    number += 1
    yield payloadOf(line, number)
  }
}

function payloadOf(line: Buffer, number: number): Buffer {
  let value: unknown
  try {
    value = JSON.parse(line.toString())
  } catch {
    value = undefined
  }
  const payload = typeof value === 'object' && value !== null && 'payload' in value ? value.payload : undefined
  if (typeof payload !== 'string' || payload === '')
    throw new Fault(`line ${number} of the input is not one that salvage has written`)
  return Buffer.from(payload, 'base64')
}
