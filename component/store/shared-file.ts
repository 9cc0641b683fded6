import type { DiskFile } from './disk.ts'

/**
 * An open file with several users. It is closed when its owner has retired it and the last user is done: a descriptor
 * must not be closed under a read or sync in the thread pool, where its number could already mean another file.
 */
export class SharedFile {
  readonly file: DiskFile
  #users = 0
  #isRetired = false

  constructor(file: DiskFile) {
    this.file = file
  }

  async use<Value>(action: (file: DiskFile) => Promise<Value>): Promise<Value> {
    this.#users++
    try {
      return await action(this.file)
    } finally {
      this.#users--
      this.#closeWhenUnused()
    }
  }

  /** Closes it as soon as nobody uses it. No new user may come. */
  retire(): void {
    this.#isRetired = true
    this.#closeWhenUnused()
  }

  #closeWhenUnused(): void {
    if (this.#isRetired && this.#users === 0) this.file.close()
  }
}
