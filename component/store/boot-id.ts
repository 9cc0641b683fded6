import { readFileSync } from 'node:fs'

/** A new value at every start of the machine; undefined where the kernel does not tell (anything but Linux). */
export function readBootId(path = '/proc/sys/kernel/random/boot_id'): string | undefined {
  try {
    const id = readFileSync(path, 'latin1').trim()
    return id === '' ? undefined : id
  } catch {
    return undefined
  }
}
