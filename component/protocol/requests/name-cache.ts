/**
 * Turns bytes into the string of a name, giving back the string of the last time where it is still kept. Holds at most
 * `slots` strings: each has one place, and a newcomer takes it over.
 * @param slots a power of two
 * @param isName whether the bytes are a name, and so ASCII; asked only about names that are not kept
 * @returns undefined when they are no name
 */
export function createNameCache(
  slots: number,
  isName: (bytes: Buffer, start: number, end: number) => boolean
): (bytes: Buffer, start: number, end: number) => string | undefined {
  const names = new Array<string>(slots).fill('')
  return (bytes, start, end) => {
    let hash = 0
    for (let index = start; index < end; index++) hash = (Math.imul(hash, 31) + (bytes[index] ?? 0)) | 0
    const slot = hash & (slots - 1)
    const kept = names[slot] ?? ''
    if (isEqual(kept, bytes, start, end)) return kept
    if (!isName(bytes, start, end)) return undefined
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
