/** Longest readable part of a folder name; the rest of a long stream name is told by the id. */
const READABLE_CHARS_MAX = 100

/**
 * The folder of a stream: its name, percent-encoded so that every legal name is safe on every file system, and its id,
 * which makes the folder unique where names differ only in case or in what was cut (behaviour 4.1).
 * @param streamId 16 hexadecimal digits
 */
export function streamFolderName(name: string, streamId: string): string {
  const readable = Array.from(Buffer.from(name, 'utf8'), (byte) => {
    const char = String.fromCharCode(byte)
    return /[A-Za-z0-9_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
  return `${readable.slice(0, READABLE_CHARS_MAX)}-${streamId}`
}

/** The id in a folder name made by `streamFolderName`, or undefined for any other folder. */
export function streamIdOfFolder(folder: string): string | undefined {
  return /-([0-9a-f]{16})$/.exec(folder)?.[1]
}
