import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** CPU time that the process has used so far in all its threads, user and system, seconds. */
export function cpuSeconds(pid: number): number {
  return cpuSecondsOf(`/proc/${pid}/stat`)
}

/** The same from the file of a process, or of one thread (proc(5), fields 14 and 15). */
export function cpuSecondsOf(statFile: string): number {
  const stat = readFileSync(statFile, 'utf8')
  // The second field is the program's name in parentheses and may contain blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Begins the search for the peak of the resident memory anew (proc(5), clear_refs). */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Largest resident memory since the start, or since the last reset, MiB. */
export function peakResidentMib(pid: number): number {
  return statusMib(pid, 'VmHWM')
}

/** Resident memory of the process, MiB. */
export function residentMib(pid: number): number {
  return statusMib(pid, 'VmRSS')
}

function statusMib(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1024
}
