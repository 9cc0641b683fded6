import { Encoder } from 'cbor-x'

const encoder = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true })

/** CBOR bytes of a request map, written by a library of its own: definite lengths, big integers as bigint. */
export function encodeMap(map: Readonly<Record<string, unknown>>): Buffer {
  return encoder.encode(map)
}

/** Bytes from hexadecimal text with blanks in it. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s/g, ''), 'hex')
}
