import { Encoder } from 'cbor-x/index-no-eval'
import { assert } from '../base/assert.ts'

/** What answers may hold: no null, no undefined, no floats (protocol 2.2). */
export type WireValue = string | boolean | bigint | number | Buffer | readonly WireValue[] | WireMap
export interface WireMap {
  readonly [key: string]: WireValue
}

/**
 * Plain definite-length maps without tags. The build of cbor-x without eval is the one that can be bundled next to
 * lmdb: it never looks for a native addon.
 */
const encoder = new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false })

/** CBOR bytes of a map, keys in the order of the object. Numbers go through `wireInteger` first. */
export function encodeCborMap(map: WireMap): Buffer {
  return encoder.encode(map)
}

/** An integer in the form that cbor-x writes as one: it turns numbers beyond 32 bits into floats unless they are bigint. */
export function wireInteger(value: number | bigint): number | bigint {
  assert(typeof value === 'bigint' || Number.isSafeInteger(value), 'integers of answers are exact')
  return value >= -(2 ** 31) && value < 2 ** 32 ? Number(value) : BigInt(value)
}
