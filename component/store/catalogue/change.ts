import { Fault } from '../../base/fault.ts'

/** One change of the catalogue: the new value of a key, or its removal. The value is copied when it is handed over. */
export interface CatalogueChange {
  /** At most 480 bytes of printable ASCII that do not begin with `!`, e.g. `stream/00c1…`. */
  readonly key: string
  /** At most 1 MiB. */
  readonly value: Uint8Array | undefined
}

/**
 * Transactional key-value records: stream definitions, segment summaries, export positions. All of it is also held in
 * memory, so reading never touches the disk and a failed database can be written anew.
 */
export interface Catalogue {
  /**
   * False when there was no database, or one that could be read only in part: what the last snapshot holds is there,
   * the caller rebuilds the rest from the segments. Also false at the first start of all.
   */
  readonly complete: boolean
  /** Why commits are rejected at present; undefined while the catalogue works. */
  readonly fault: Fault | undefined
  entries(): ReadonlyMap<string, Buffer>
  /**
   * Applies all changes or none. Resolves when they survive a power cut; changes become visible in `entries` at once.
   * @throws Fault when they could not be made durable; they are then taken along by the next commit that works (on a
   * full disk, where the catalogue may have room for a part of them, each as soon as it fits)
   * @throws CatalogueFull when there is no room for another stream; nothing of the commit is kept
   */
  commit(changes: readonly CatalogueChange[]): Promise<void>
  /** Waits for commits under way and closes; gives up after the commit deadline. */
  close(): Promise<void>
}

/** A commit was refused before anything of it was applied. */
export class CatalogueFull extends Fault {}
