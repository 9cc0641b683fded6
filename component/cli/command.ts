import { parseArgs, type ParseArgsConfig } from 'node:util'
import { describeError } from '../base/fault.ts'
import type { Disk } from '../store/disk.ts'

/** Exit codes of all commands. */
export const EXIT = {
  ok: 0,
  /** Something is damaged or lost. */
  damage: 1,
  /** Something could not be read or written: the answer is incomplete. */
  failed: 2,
  /** EX_USAGE of sysexits.h. */
  usage: 64
} as const

/** What a command has to do with the outside world. */
export interface Surroundings {
  /** Writes to standard output. */
  readonly write: (text: string) => void
  /** Writes to standard error. */
  readonly writeError: (text: string) => void
  readonly disk: Disk
  /** Absolute path that relative paths are taken from. */
  readonly workFolder: string
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
  /** @returns the exit code @throws Fault, which is told in a line and ends with EXIT.failed */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>
}

/** The arguments were not those of the command: the message says which. */
export class UsageProblem extends Error {
  override readonly name = 'UsageProblem'
}

type Options = NonNullable<ParseArgsConfig['options']>

/**
 * Takes arguments apart.
 * @param positionalCount how many arguments there must be beside the options
 * @throws UsageProblem
 */
export function parseArguments<Declared extends Options>(
  args: readonly string[],
  options: Declared,
  positionalCount: number
) {
  const parsed = attempt(() => parseArgs({ args: [...args], options, allowPositionals: true, strict: true }))
  if (parsed.positionals.length !== positionalCount) {
    throw new UsageProblem(`it takes ${positionalCount} argument${positionalCount === 1 ? '' : 's'} beside its options`)
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
