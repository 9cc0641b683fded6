/** A stored record and its key, or the key alone when it is to be removed. */
export interface RecordChange {
  readonly key: string
  readonly record: Buffer | undefined
}

/** An open database file. After the first failed or late call none of its members may be called again. */
export interface CatalogueEnvironment {
  /** Copies of all records. @throws any error for a damaged file, if the process survives it */
  readAll(): Map<string, Buffer>
  /**
   * Applies all changes in one transaction; resolves after the sync. One call at a time.
   * A rejection leaves open what is stored.
   */
  commit(changes: readonly RecordChange[]): Promise<void>
  close(): Promise<void>
}

/** The database library. */
export interface CatalogueEngine {
  /**
   * Opens a database file that is there.
   * @param mapBytes address space to begin with; ignored where addresses are scarce
   */
  open(path: string, mapBytes: number): CatalogueEnvironment
}
