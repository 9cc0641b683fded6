import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import type { CreateCloudProbes } from '../exporter/probe.ts'
import type { Disk } from '../store/disk.ts'

/** Exit codes of all commands. */
export const EXIT = {
  ok: 0,
  /** The answer is bad news: something is damaged, lost, wrong, or refused by the server. */
  problem: 1,
  /** No answer: no connection, or something could not be read or written. */
  failed: 2,
  /** EX_USAGE of sysexits.h. */
  usage: 64
} as const

export type Variables = Readonly<Record<string, string | undefined>>

/** What a command has to do with the outside world. */
export interface Surroundings {
  /** Writes to standard output. */
  readonly write: (text: string | Buffer) => void
  /** Resolves when standard output has taken what was written: a slow reader must not fill the memory. */
  readonly flush: () => Promise<void>
  /** Writes to standard error. */
  readonly writeError: (text: string) => void
  readonly disk: Disk
  /** Absolute path that relative paths are taken from. */
  readonly workFolder: string
  readonly environment: Variables
  readonly clock: Clock
  /** Columns of the terminal; undefined when the output goes elsewhere. */
  readonly columns: number | undefined
  /** Whether standard error is a terminal, where progress can be shown. */
  readonly showsProgress: boolean
  /** Content of a file, or of standard input for `-`. */
  readonly openInput: (path: string) => AsyncIterable<Buffer>
  /** Aborted when the user, or the reader of the output, wants no more. */
  readonly interrupted: AbortSignal
  /** Loads what talks to the cloud: much code, that only `doctor` needs. */
  readonly loadProbes: () => Promise<CreateCloudProbes>
}

/** One command of the program beside the server. */
export interface Command {
  readonly name: string
  /** What follows the name, e.g. `<root> [--json]`. */
  readonly usage: string
  /** A line for the list of commands, without a final dot. */
  readonly summary: string
  /** More lines for `help <name>`. */
  readonly details: readonly string[]
  readonly options: Options
  /** What the arguments beside the options are, for completion in a shell; a command without them takes none. */
  readonly takes?: 'streams' | 'files' | 'commands' | readonly string[]
  /** @returns the exit code @throws Fault, which is told in a line */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>
}

/** The arguments were not those of the command: the message says which. */
export class UsageProblem extends Error {
  override readonly name = 'UsageProblem'
}

export type Options = NonNullable<ParseArgsConfig['options']>

/**
 * Takes arguments apart.
 * @param positionals how many arguments there must be beside the options, or from how many to how many
 * @throws UsageProblem
 */
export function parseArguments<Declared extends Options>(
  args: readonly string[],
  options: Declared,
  positionals: number | readonly [min: number, max: number]
) {
  const parsed = attempt(() => parseArgs({ args: [...args], options, allowPositionals: true, strict: true }))
  const [min, max] = typeof positionals === 'number' ? [positionals, positionals] : positionals
  const count = parsed.positionals.length
  if (count < min || count > max) {
    const wanted = min === max ? String(min) : max === Infinity ? `${min} or more` : `${min} to ${max}`
    throw new UsageProblem(`it takes ${wanted} argument${max === 1 ? '' : 's'} beside its options`)
  }
  return parsed
}

function attempt<Value>(parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    throw new UsageProblem(describeError(error))
  }
}

/** An integer within bounds, of an option. @throws UsageProblem */
export function integerOption(name: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN
  if (!(value >= min && value <= max)) throw new UsageProblem(`--${name} must be a number from ${min} to ${max}`)
  return value
}
