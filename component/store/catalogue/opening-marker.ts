import type { CatalogueFiles } from './catalogue-files.ts'

/**
 * A file that exists while a database is being opened and has not made its first commit. Found at a start, it tells
 * that the process died meanwhile, most likely by a signal from LMDB on a damaged file (reliability 3.2.4).
 * It holds the number of opens in a row that have begun, decimal.
 */
export interface OpeningMarker {
  /** How many opens in a row died; 0 when the last one went well. */
  diedOpens(): Promise<number>
  set(begunOpens: number): Promise<void>
  clear(): Promise<void>
}

const MARKER_BYTES_MAX = 1_000

export function createOpeningMarker(files: CatalogueFiles, path: string): OpeningMarker {
  return {
    async diedOpens() {
      if ((await files.stat(path)) === undefined) return 0
      const text = (await files.read(path, MARKER_BYTES_MAX).catch(() => undefined))?.toString('latin1') ?? ''
      return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1
    },
    set: (begunOpens) => files.write(path, [Buffer.from(String(begunOpens), 'latin1')]),
    clear: () => files.remove(path)
  }
}
