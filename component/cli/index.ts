import { describeError, Fault } from '../base/fault.ts'
import { check } from './check.ts'
import { EXIT, UsageProblem, type Command, type Surroundings } from './command.ts'
import { salvage } from './salvage.ts'

export type { Surroundings } from './command.ts'

/** All commands, in the order of `help`. A new one is a file that exports a Command, and a line here. */
const COMMANDS: readonly Command[] = [check, salvage]

const PROGRAM = 'node stream-manager.cjs'
const HELP_WORDS = ['help', '--help', '-h']

/** True when the first argument of the program asks for a command; without one it is the server. */
export function isCommand(word: string | undefined): word is string {
  return word !== undefined && (HELP_WORDS.includes(word) || COMMANDS.some(({ name }) => name === word))
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length))
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    `${PROGRAM}                     runs the server`,
    `${PROGRAM} <command> …         runs a command:`,
    '',
    ...lines,
    `  ${'help'.padEnd(width)}  this list, or with a command's name what it takes`,
    ''
  ].join('\n')
}

function usageOf({ name, usage, summary, details }: Command): string {
  return [`${PROGRAM} ${name} ${usage}`, '', `${summary}.`, ...details, ''].join('\n')
}

function help(topic: string | undefined, { write, writeError }: Surroundings): number {
  const command = COMMANDS.find(({ name }) => name === topic)
  if (topic !== undefined && command === undefined) {
    writeError(`there is no command ${JSON.stringify(topic)}\n${overview()}`)
    return EXIT.usage
  }
  write(command === undefined ? overview() : usageOf(command))
  return EXIT.ok
}

/**
 * Runs a command.
 * @param args the program's arguments, the command's name first: one that isCommand
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name = '', ...rest] = args
  const command = COMMANDS.find((known) => known.name === name)
  if (command === undefined) return help(rest[0], surroundings)
  if (rest.some((argument) => HELP_WORDS.slice(1).includes(argument))) return help(name, surroundings)
  try {
    return await command.run(rest, surroundings)
  } catch (error) {
    if (error instanceof UsageProblem) {
      surroundings.writeError(`${name}: ${error.message}\nusage: ${PROGRAM} ${name} ${command.usage}\n`)
      return EXIT.usage
    }
    if (!(error instanceof Fault)) throw error
    surroundings.writeError(`${name}: ${describeError(error)}\n`)
    return EXIT.failed
  }
}
