import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeError, Fault } from '../../base/fault.ts'
import { UsageProblem, type Surroundings, type Variables } from '../command.ts'

/** The variables that a command goes by, and where they are from: what the server sees may be something else. */
export interface ChosenEnvironment {
  readonly variables: Variables
  /** For people: `of process 812`. */
  readonly source: string
}

export interface EnvironmentOptions {
  readonly pid?: string | undefined
  readonly 'env-file'?: string | undefined
}

/** `NAME=value` items, with zeros between them as in /proc, or one a line; quotes around a value, `export` and comments are left out. */
export function parseVariables(text: string): Variables {
  const isFromKernel = text.includes('\0')
  const variables: Record<string, string> = {}
  for (const item of text.split(isFromKernel ? '\0' : '\n')) {
    const match = /^(?:\s*export\s+)?\s*([A-Za-z_]\w*)=([\s\S]*)$/.exec(item)
    const name = match?.[1]
    if (name === undefined) continue
    const value = match?.[2] ?? ''
    variables[name] = isFromKernel ? value : value.trim().replace(/^(['"])(.*)\1$/, '$2')
  }
  return variables
}

function readVariables(path: string): Variables {
  try {
    return parseVariables(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Fault(
      `the environment cannot be read (${describeError(error)}); root and the user of the process may`,
      error
    )
  }
}

/**
 * The environment of a process (`--pid`), of a file (`--env-file`), or one's own.
 * @throws Fault when it cannot be read, UsageProblem
 */
export function chooseEnvironment(options: EnvironmentOptions, surroundings: Surroundings): ChosenEnvironment {
  const { pid, 'env-file': file } = options
  if (pid !== undefined && file !== undefined) throw new UsageProblem('--pid and --env-file exclude each other')
  if (pid !== undefined) {
    if (!/^\d{1,10}$/.test(pid)) throw new UsageProblem('--pid must be the number of a process')
    return { variables: readVariables(`/proc/${pid}/environ`), source: `of process ${pid}` }
  }
  if (file !== undefined) {
    const path = resolve(surroundings.workFolder, file)
    return { variables: readVariables(path), source: `of ${path}` }
  }
  return { variables: surroundings.environment, source: 'of this shell' }
}
