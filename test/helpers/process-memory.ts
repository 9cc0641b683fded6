import { readFileSync } from 'node:fs'

const MIB = 1024 * 1024

/** What a process of Linux holds in memory, in MiB. */
export interface ProcessMemory {
  readonly residentMiB: number
  /** The most that it ever held. */
  readonly peakMiB: number
}

export function memoryOf(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string): number => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    if (kib === undefined) throw new Error(`the kernel does not tell ${name}`)
    return Math.round((Number(kib) * 1024) / MIB)
  }
  return { residentMiB: field('VmRSS'), peakMiB: field('VmHWM') }
}
