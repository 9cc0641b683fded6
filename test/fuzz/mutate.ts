import type { Random } from '../../component/base/random.ts'

/** An integer from 0 to `count` - 1. */
export function below(random: Random, count: number): number {
  return Math.floor(random.fraction() * count)
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[below(random, items.length)]!
}

/** Bytes that mean something to binary formats: limits of integers, heads and breaks of CBOR, lengths. */
const BINARY_TOKENS = [
  '00',
  'ff',
  '7f',
  '80',
  '9f',
  'bf',
  '5f',
  'c2',
  'd9d9f7',
  'f4',
  'f6',
  'f7',
  'f97e00',
  'fb43e0000000000000',
  '1b7fffffffffffffff',
  '1bffffffffffffffff',
  '3bffffffffffffffff',
  '1a80000000',
  '5bffffffffffffffff',
  '9a7fffffff',
  'bb0000000100000000',
  '00000000',
  'ffffffff',
  '7fffffff',
  '40000000',
  '0000000100000000'
].map((hex) => Buffer.from(hex, 'hex'))

const REPEATS_MAX = 300
const CHANGES_MAX = 5

export interface MutationOptions {
  /** Inputs of which parts are taken. */
  readonly others?: readonly Buffer[]
  /** What is put in; tokens of binary formats by default. */
  readonly tokens?: readonly Buffer[]
}

function splice(bytes: Buffer, start: number, removed: number, added: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), added, bytes.subarray(start + removed)])
}

function mutateOnce(random: Random, bytes: Buffer, { others = [], tokens = BINARY_TOKENS }: MutationOptions): Buffer {
  const at = below(random, bytes.length + 1)
  const length = below(random, Math.min(bytes.length - at, random.fraction() < 0.8 ? 8 : 200) + 1)
  switch (below(random, 8)) {
    case 0: {
      const changed = Buffer.from(bytes)
      if (at < bytes.length) changed[at] = changed[at]! ^ (1 << below(random, 8))
      return changed
    }
    case 1: {
      const changed = Buffer.from(bytes)
      if (at < bytes.length) changed[at] = below(random, 256)
      return changed
    }
    case 2:
      return splice(bytes, at, length, Buffer.alloc(0))
    case 3:
      return splice(bytes, at, random.fraction() < 0.5 ? 0 : length, pick(random, tokens))
    case 4:
      return splice(bytes, at, 0, bytes.subarray(at, at + length))
    case 5: {
      const repeats = below(random, REPEATS_MAX)
      return splice(bytes, at, 0, Buffer.concat(Array.from({ length: repeats }, () => bytes.subarray(at, at + 2))))
    }
    case 6: {
      const other = others.length === 0 ? bytes : pick(random, others)
      const from = below(random, other.length + 1)
      return splice(bytes, at, length, other.subarray(from, from + below(random, 60)))
    }
    default:
      return bytes.subarray(0, at)
  }
}

/** A copy of `bytes` with a few changes. */
export function mutate(random: Random, bytes: Buffer, options: MutationOptions = {}): Buffer {
  let changed: Buffer = Buffer.from(bytes)
  for (let left = 1 + below(random, CHANGES_MAX); left > 0; left -= 1) changed = mutateOnce(random, changed, options)
  return changed
}

/** Pieces of `bytes`, cut at random places. */
export function cutAnywhere(random: Random, bytes: Buffer, piecesMax: number): Buffer[] {
  const cuts = Array.from({ length: below(random, piecesMax) }, () => below(random, bytes.length + 1))
  const bounds = [0, ...cuts.sort((left, right) => left - right), bytes.length]
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end))
}
