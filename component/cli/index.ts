import { describeError, Fault } from '../base/fault.ts'
import { hintFor } from '../base/nearest.ts'
import { VERSION } from '../config/index.ts'
import { append } from './append.ts'
import { check } from './check.ts'
import { RequestRefused } from './client/connection.ts'
import { EXIT, UsageProblem, type Command, type Surroundings } from './command.ts'
import { completionCommand } from './completion.ts'
import { create, update } from './define.ts'
import { describe } from './describe.ts'
import { doctor } from './doctor/doctor.ts'
import { pause, replay, resume } from './exports.ts'
import { list } from './list.ts'
import { purge, remove } from './remove.ts'
import { salvage } from './salvage.ts'
import { tail } from './tail.ts'

export type { Surroundings } from './command.ts'

/** All commands, in the order of `help`. A new one is a file that exports a Command, and a line here. */
export const COMMANDS: readonly Command[] = [
  list,
  describe,
  tail,
  append,
  create,
  update,
  remove,
  purge,
  pause,
  resume,
  replay,
  doctor,
  check,
  salvage,
  completionCommand(() => COMMANDS)
]

const PROGRAM = 'stream-manager'
const HELP_WORDS = ['help', '--help', '-h']
const VERSION_WORDS = ['version', '--version']

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length))
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    `usage: ${PROGRAM} <command> …`,
    '',
    ...lines,
    `  ${'help'.padEnd(width)}  this list, or with a command's name what it takes`,
    `  ${'version'.padEnd(width)}  the version of this program`,
    '',
    'The program itself, stream-manager.cjs, is the server when it is started without arguments.',
    ''
  ].join('\n')
}

function usageOf({ name, usage, summary, details }: Command): string {
  return [`${PROGRAM} ${name}${usage === '' ? '' : ` ${usage}`}`, '', `${summary}.`, ...details, ''].join('\n')
}

/** Says which word was probably meant: a server must not be started instead, by mistake. */
function unknownCommand(word: string, { writeError }: Surroundings): number {
  const words = [...COMMANDS.map(({ name }) => name), 'help', 'version']
  writeError(`there is no command ${JSON.stringify(word)}${hintFor(word, words)}; ${PROGRAM} help lists all\n`)
  return EXIT.usage
}

function help(topic: string | undefined, surroundings: Surroundings): number {
  const command = COMMANDS.find(({ name }) => name === topic)
  if (topic !== undefined && command === undefined) return unknownCommand(topic, surroundings)
  surroundings.write(command === undefined ? overview() : usageOf(command))
  return EXIT.ok
}

/** The exit code for what a command could not do. */
function told(name: string, command: Command, error: unknown, { writeError }: Surroundings): number {
  if (error instanceof UsageProblem) {
    writeError(`${name}: ${error.message}\nusage: ${PROGRAM} ${name} ${command.usage}\n`)
    return EXIT.usage
  }
  if (!(error instanceof Fault)) throw error
  writeError(`${name}: ${describeError(error)}\n`)
  return error instanceof RequestRefused ? EXIT.problem : EXIT.failed
}

/**
 * Runs a command.
 * @param args the program's arguments, the command's name first
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name = '', ...rest] = args
  if (HELP_WORDS.includes(name)) return help(rest[0], surroundings)
  if (VERSION_WORDS.includes(name)) {
    surroundings.write(`${VERSION}\n`)
    return EXIT.ok
  }
  const command = COMMANDS.find((known) => known.name === name)
  if (command === undefined) return unknownCommand(name, surroundings)
  const end = rest.indexOf('--')
  const options = end === -1 ? rest : rest.slice(0, end)
  if (options.some((argument) => HELP_WORDS.slice(1).includes(argument))) return help(name, surroundings)
  try {
    return await command.run(rest, surroundings)
  } catch (error) {
    return told(name, command, error, surroundings)
  }
}
