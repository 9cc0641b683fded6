/** One change of the catalogue: the new value of a key, or its removal. The value is copied when it is handed over. */
export interface CatalogueChange {
  /** At most 480 bytes of printable ASCII, e.g. `stream/00c1…`. */
  readonly key: string
  readonly value: Uint8Array | undefined
}

/**
 * Transactional key-value records: stream definitions, segment summaries, export positions. All of it is also held in
 * memory, so reading never touches the disk and a failed database can be written anew.
 */
export interface Catalogue {
  /** False when nothing, or only the last snapshot, could be recovered: the caller rebuilds the rest from the segments. */
  readonly complete: boolean
  entries(): ReadonlyMap<string, Buffer>
  /**
   * Applies all changes or none. Resolves when they survive a power cut; changes become visible in `entries` at once.
   * @throws Fault when they could not be made durable; they are then taken along by the next commit that works
   */
  commit(changes: readonly CatalogueChange[]): Promise<void>
  /** Waits for commits under way and closes; gives up after the commit deadline. */
  close(): Promise<void>
}
