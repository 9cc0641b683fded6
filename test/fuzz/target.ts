import type { Random } from '../../component/base/random.ts'

/** One part of the program that has to survive any input. */
export interface FuzzTarget {
  readonly name: string
  /** Inputs of a run without a time limit: together the targets then take about a minute. */
  readonly inputCount: number
  /** Makes an input; the same numbers make the same one. */
  generate(random: Random): Buffer
  /** Throws when the program did something with the input that it must not do. */
  run(input: Buffer): void | Promise<void>
  /** Releases what the target holds. */
  close?(): Promise<void>
}
