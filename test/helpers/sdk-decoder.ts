import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

interface SdkClass {
  fromMap(map: unknown): { asMap(): unknown }
}
const cbor = require('cbor') as { decodeFirstSync(bytes: Buffer): unknown }
const data = require('aws-greengrass-core-sdk/stream-manager/data') as Readonly<Record<string, SdkClass>>

/**
 * What the unmodified JavaScript SDK makes of an answer: decoded with its CBOR library, read and checked by its data
 * classes, and written back with wire keys.
 * @param className e.g. `AppendMessageResponse`
 */
export function readWithSdk(className: string, payload: Buffer): unknown {
  return data[className]!.fromMap(cbor.decodeFirstSync(payload)).asMap()
}
