import { join } from 'node:path'

/**
 * Names in the catalogue's folder. A generation is one LMDB file with its lock file; the highest one counts.
 *
 *     catalogue-<n>                    a generation
 *     catalogue-<n>-lock               LMDB's lock file, made anew at every open
 *     catalogue.new, .new-lock         a generation being built
 *     catalogue-<n>.damaged-<ms>       a generation that could not be used, put aside at that time
 *     catalogue.opening                an open is under way; holds how many opens in a row have begun
 *     catalogue.snapshot, .old, .new   copy of all entries, the one before, one being written
 */
const GENERATION = /^catalogue-(\d{1,15})$/
const QUARANTINED = /^catalogue-\d{1,15}\.damaged-(\d{1,16})$/
const LOCK = /^catalogue-(\d{1,15})-lock$/
const LEFTOVER = /^catalogue\.(new|new-lock|snapshot\.new)$/

export interface CatalogueNames {
  generation(number: number): string
  quarantined(number: number, wallMs: number): string
  readonly building: string
  readonly marker: string
  readonly snapshot: string
  readonly oldSnapshot: string
  readonly newSnapshot: string
}

export function catalogueNames(folder: string): CatalogueNames {
  return {
    generation: (number) => join(folder, `catalogue-${number}`),
    quarantined: (number, wallMs) => join(folder, `catalogue-${number}.damaged-${Math.max(0, Math.floor(wallMs))}`),
    building: join(folder, 'catalogue.new'),
    marker: join(folder, 'catalogue.opening'),
    snapshot: join(folder, 'catalogue.snapshot'),
    oldSnapshot: join(folder, 'catalogue.snapshot.old'),
    newSnapshot: join(folder, 'catalogue.snapshot.new')
  }
}

/** LMDB's lock file beside a database. */
export function lockFileOf(path: string): string {
  return `${path}-lock`
}

/** What the names in the folder say. */
export interface FolderContent {
  /** Numbers of the generations, highest first. */
  readonly generations: readonly number[]
  /** Names put aside, newest first. */
  readonly quarantined: readonly string[]
  /** Names of what an interrupted build or a removed generation left behind. */
  readonly leftovers: readonly string[]
}

export function sortNames(names: readonly string[]): FolderContent {
  const numberIn = (name: string, pattern: RegExp): number | undefined => {
    const digits = pattern.exec(name)?.[1]
    return digits === undefined ? undefined : Number(digits)
  }
  const generations = names.flatMap((name) => numberIn(name, GENERATION) ?? [])
  const isOrphanedLock = (name: string): boolean => {
    const number = numberIn(name, LOCK)
    return number !== undefined && !generations.includes(number)
  }
  return {
    generations: generations.sort((a, b) => b - a),
    quarantined: names
      .filter((name) => QUARANTINED.test(name))
      .sort((a, b) => (numberIn(b, QUARANTINED) ?? 0) - (numberIn(a, QUARANTINED) ?? 0)),
    leftovers: names.filter((name) => LEFTOVER.test(name) || isOrphanedLock(name))
  }
}
