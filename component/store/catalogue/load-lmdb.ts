import { describeError, Fault } from '../../base/fault.ts'

/** What is used of an LMDB database; keys and values are bytes. */
export interface LmdbDatabase {
  /** Inside a transaction: true when the value was put. */
  putSync(key: Buffer, value: Buffer): boolean
  /** Inside a transaction: true when there was such a key. */
  removeSync(key: Buffer): boolean
  doesExist(key: Buffer): boolean
  getRange(options: object): Iterable<{ readonly key: Buffer; readonly value: Buffer }>
  /** Runs the callback in a transaction and resolves after its sync. A throw inside does not undo earlier puts. */
  transaction(callback: () => boolean): Promise<boolean>
  close(): Promise<void>
}

export interface LmdbModule {
  open(options: Readonly<Record<string, string | number | boolean>>): LmdbDatabase
}

/**
 * Loads lmdb with its native addon, as late as possible so that a machine without one gets a sentence, not a loader's
 * stack.
 * @throws Fault when there is no addon for this machine, or it does not fit the C library
 */
export async function loadLmdb(): Promise<LmdbModule> {
  try {
    // The library's types say that putSync returns nothing; inside a transaction it returns whether it was put.
    return (await import('lmdb')) as unknown as LmdbModule
  } catch (error) {
    const reason = describeError(error).split('\n', 1)[0] ?? ''
    throw new Fault(
      `the database library cannot be loaded on this machine (${process.platform} ${process.arch}, Node.js ${process.version}): ${reason}`,
      error
    )
  }
}
