import { readFileSync } from 'node:fs'

/** One error that a process meets from its start on. */
export interface SingleFault {
  /** System calls as strace(1) names them; `?` before those that not every architecture has. */
  readonly calls: string
  readonly error: string
  /** Which of these calls of a thread fails, from 1 on. */
  readonly nth: number
}

/** How to start a program under strace, and what became of it. */
export interface FaultyStart {
  readonly command: string
  /** Before the program and its own arguments. */
  readonly arguments: readonly string[]
  /** The calls that failed, as strace writes them, with the paths of descriptors; after the end of the program. */
  failedCalls(): string[]
}

/** The process keeps its own id: strace is no parent of it. */
export function failNthCall({ calls, error, nth }: SingleFault, logFile: string): FaultyStart {
  const rules = ['-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}:when=${nth}`]
  return {
    command: 'strace',
    arguments: ['-D', '-f', '--seccomp-bpf', '-y', '-o', logFile, ...rules],
    failedCalls: () =>
      readFileSync(logFile, 'latin1')
        .split('\n')
        .filter((line) => line.includes('(INJECTED)'))
  }
}
