import { crc32 } from 'node:zlib'

/** The event stream format once more, for stand-ins of the nucleus, so that the component's codec is not its own judge. */

export type FrameHeaders = Readonly<Record<string, string | number>>

export interface NucleusFrame {
  readonly headers: Record<string, string | number>
  readonly payload: Buffer
}

const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff)
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

function headerBytes([name, value]: readonly [string, string | number]): Buffer {
  const start = Buffer.concat([Buffer.of(name.length), Buffer.from(name)])
  if (typeof value === 'number') return Buffer.concat([start, Buffer.of(4), u32(value)])
  return Buffer.concat([start, Buffer.of(7), u16(Buffer.byteLength(value)), Buffer.from(value)])
}

/** A frame as the nucleus sends them. */
export function nucleusFrame(headers: FrameHeaders, payload: string | Buffer = ''): Buffer {
  const headerPart = Buffer.concat(Object.entries(headers).map(headerBytes))
  const body = Buffer.from(payload)
  const lengths = Buffer.concat([u32(16 + headerPart.length + body.length), u32(headerPart.length)])
  const start = Buffer.concat([lengths, u32(crc32(lengths)), headerPart, body])
  return Buffer.concat([start, u32(crc32(start))])
}

/** Takes complete frames off the front; throws at whatever a strict nucleus would close the connection for. */
export function takeFrames(bytes: Buffer, frameBytesMax: number): { frames: NucleusFrame[]; rest: Buffer } {
  const frames: NucleusFrame[] = []
  let rest = bytes
  while (rest.length >= 12) {
    const total = rest.readUInt32BE(0)
    if (crc32(rest.subarray(0, 8)) !== rest.readUInt32BE(8)) throw new Error('wrong prelude checksum')
    if (total > frameBytesMax) throw new Error(`a frame of ${total} bytes`)
    if (rest.length < total) break
    if (crc32(rest.subarray(0, total - 4)) !== rest.readUInt32BE(total - 4)) throw new Error('wrong checksum')
    const headersEnd = 12 + rest.readUInt32BE(4)
    frames.push({
      headers: readHeaders(rest.subarray(12, headersEnd)),
      payload: rest.subarray(headersEnd, total - 4)
    })
    rest = rest.subarray(total)
  }
  return { frames, rest }
}

function readHeaders(bytes: Buffer): Record<string, string | number> {
  const headers: Record<string, string | number> = {}
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + bytes.readUInt8(at)
    const name = bytes.subarray(at + 1, nameEnd).toString()
    const type = bytes.readUInt8(nameEnd)
    if (type === 4) {
      headers[name] = bytes.readInt32BE(nameEnd + 1)
      at = nameEnd + 5
    } else if (type === 7) {
      const length = bytes.readUInt16BE(nameEnd + 1)
      headers[name] = bytes.subarray(nameEnd + 3, nameEnd + 3 + length).toString()
      at = nameEnd + 3 + length
    } else throw new Error(`header type ${type}`)
  }
  return headers
}
