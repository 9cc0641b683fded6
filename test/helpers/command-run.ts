import { runCommand } from '../../component/cli/index.ts'
import type { Surroundings } from '../../component/cli/command.ts'
import { nodeDisk } from '../../component/store/index.ts'
import { createFakeClock } from './fake-clock.ts'

export interface CommandOutcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Surroundings without a terminal, whose output is collected. */
export function collectingSurroundings(changes: Partial<Surroundings> = {}): {
  readonly surroundings: Surroundings
  readonly out: () => string
  readonly err: () => string
} {
  let [out, err] = ['', '']
  const surroundings: Surroundings = {
    write: (text) => void (out += text.toString()),
    flush: () => Promise.resolve(),
    writeError: (text) => void (err += text),
    disk: nodeDisk,
    workFolder: '/nowhere',
    environment: {},
    clock: createFakeClock(),
    columns: undefined,
    showsProgress: false,
    openInput: () => {
      throw new Error('there is no input')
    },
    interrupted: new AbortController().signal,
    loadProbes: () => Promise.reject(new Error('there is no cloud')),
    ...changes
  }
  return { surroundings, out: () => out, err: () => err }
}

/** Runs a command in this process. */
export async function runInProcess(...args: string[]): Promise<CommandOutcome> {
  const { surroundings, out, err } = collectingSurroundings()
  const code = await runCommand(args, surroundings)
  return { code, out: out(), err: err() }
}
