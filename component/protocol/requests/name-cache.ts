/**
 * Turns bytes that are known to be ASCII into a string, giving back the string of the last time where it is still kept.
 * Holds at most `slots` strings: each has one place, and a newcomer takes it over.
 * @param slots a power of two
 */
export function createNameCache(slots: number): (bytes: Buffer, start: number, end: number) => string {
  const names = new Array<string>(slots).fill('')
  return (bytes, start, end) => {
    let hash = 0
    for (let index = start; index < end; index++) hash = (Math.imul(hash, 31) + (bytes[index] ?? 0)) | 0
    const slot = hash & (slots - 1)
    const kept = names[slot] ?? ''
    if (isEqual(kept, bytes, start, end)) return kept
    const name = bytes.toString('latin1', start, end)
    names[slot] = name
    return name
  }
}

function isEqual(name: string, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let index = 0; index < name.length; index++) if (name.charCodeAt(index) !== bytes[start + index]) return false
  return true
}
