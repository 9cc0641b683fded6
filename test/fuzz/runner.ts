import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import type { FuzzTarget } from './target.ts'

/** An input that takes longer has found something too. */
const INPUT_MS_MAX = 5_000
const SHRINK_ATTEMPTS_MAX = 400
const SHRINK_MS_MAX = 15_000

export interface FuzzOptions {
  readonly seed: number
  /** Ends the run of a target; without it the count of the target does. */
  readonly msPerTarget?: number
  /** Share of the counts of the targets. */
  readonly scale?: number
  /** Told before each input, so that one that never ends can be named. */
  readonly watch?: (target: string, inputSeed: number) => void
}

export interface Finding {
  readonly target: string
  readonly seed: number
  readonly error: unknown
  /** Shortened as far as that was quick. */
  readonly input: Buffer
  /** Holds the input in hexadecimal. */
  readonly file: string
}

export interface FuzzReport {
  readonly target: string
  readonly inputs: number
  readonly elapsedMs: number
  readonly slowestMs: number
  readonly finding: Finding | undefined
}

/** The seed of the `index`th input: the first one is the seed itself, so that a failing seed replays alone. */
export function seedOf(seed: number, index: number): number {
  return (seed + Math.imul(index, 0x9e3779b1)) >>> 0
}

/** What is wrong with an input, if anything. */
export async function failureOf(target: FuzzTarget, input: Buffer): Promise<{ readonly error: unknown } | undefined> {
  const startMs = performance.now()
  try {
    await target.run(input)
  } catch (error) {
    return { error }
  }
  const elapsedMs = performance.now() - startMs
  return elapsedMs > INPUT_MS_MAX ? { error: new Error(`it took ${Math.round(elapsedMs)} ms`) } : undefined
}

/** Leaves out pieces of a failing input as long as it goes on failing. */
async function shrink(target: FuzzTarget, input: Buffer): Promise<Buffer> {
  let best = input
  let attempts = 0
  const endMs = performance.now() + SHRINK_MS_MAX
  const goesOn = (): boolean => attempts < SHRINK_ATTEMPTS_MAX && performance.now() < endMs
  for (let piece = Math.ceil(input.length / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let at = 0; at < best.length && goesOn(); attempts += 1) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + piece)])
      if ((await failureOf(target, shorter)) === undefined) at += piece
      else best = shorter
    }
  }
  return best
}

function keep(target: string, seed: number, input: Buffer): string {
  const folder = join(tmpdir(), 'stream-manager-fuzz')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${target}-${seed}.hex`)
  writeFileSync(file, `${input.toString('hex')}\n`)
  return file
}

/** Shortens a failing input and keeps it in a file. */
export async function reportFinding(
  target: FuzzTarget,
  seed: number,
  input: Buffer,
  failure: { readonly error: unknown }
): Promise<Finding> {
  const shortest = await shrink(target, input)
  const { error } = (await failureOf(target, shortest)) ?? failure
  return { target: target.name, seed, error, input: shortest, file: keep(target.name, seed, shortest) }
}

/** Runs one target until its count or its time is over, or an input fails. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, msPerTarget, scale = 1, watch } = options
  const count = msPerTarget === undefined ? Math.max(1, Math.round(target.inputCount * scale)) : Infinity
  const startMs = performance.now()
  let slowestMs = 0
  let inputs = 0
  let finding: Finding | undefined
  while (inputs < count && performance.now() - startMs < (msPerTarget ?? Infinity) && finding === undefined) {
    const inputSeed = seedOf(seed, inputs)
    const beginMs = performance.now()
    watch?.(target.name, inputSeed)
    const input = target.generate(createSeededRandom(inputSeed))
    const failure = await failureOf(target, input)
    inputs += 1
    slowestMs = Math.max(slowestMs, performance.now() - beginMs)
    if (failure === undefined) continue
    finding = await reportFinding(target, inputSeed, input, failure)
  }
  return { target: target.name, inputs, elapsedMs: performance.now() - startMs, slowestMs, finding }
}

/** What a person needs to see a finding again. */
export function describeFinding({ target, seed, error, input, file }: Finding): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [
    `${target}: seed ${seed} fails`,
    text,
    `input (${input.length} bytes): ${file}`,
    `again: npm run fuzz -- --input ${file} ${target}`,
    `whole: npm run fuzz -- --seed ${seed} --count 1 ${target}`
  ].join('\n')
}
