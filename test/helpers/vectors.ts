import { readFileSync } from 'node:fs'

/** Values of the vector files: JSON, with objects such as `{"$bytes": hex}` for what JSON lacks. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** One request frame as a client wrote it; see the description of the vector files. */
export interface RequestVector {
  readonly name: string
  readonly call?: JsonObject
  readonly notSent?: string
  readonly connectVersionHex?: string
  readonly frame?: {
    readonly op: number
    readonly length: number
    readonly hex?: string
    readonly prefixHex?: string
    readonly sha256?: string
    readonly payload?: Json
    readonly payloadTruncated?: boolean
    readonly note?: string
  }
}

/** The recorded clients, by the names of their vector files. */
export const CLIENTS = [
  'greengrasssdk-1.5.0',
  'java-1.1.0',
  'java-slim-1.1.0',
  'js-v1-1.7.0',
  'js-v2-1.1.0',
  'python-1.1.1'
] as const
export type Client = (typeof CLIENTS)[number]

/** Reads a file of test/vectors; callers know its shape from the description of the files. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'))
}

export function requestVectors(client: Client): readonly RequestVector[] {
  return (readVectors(`requests.${client}.json`) as { requests: readonly RequestVector[] }).requests
}

/** The whole request frame of a vector that carries it. */
export function requestFrame(client: Client, name: string): Buffer {
  const hex = requestVectors(client).find((vector) => vector.name === name)?.frame?.hex
  if (hex === undefined) throw new Error(`no frame ${name} of ${client}`)
  return Buffer.from(hex, 'hex')
}

/** Its payload: what stands behind length and operation. */
export function requestPayload(client: Client, name: string): Buffer {
  return requestFrame(client, name).subarray(5)
}
