import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer, type ServerOptions, type ServerProcess } from './server-process.ts'

/** The servers that serve one store one after another. A test disposes of them all, with the store, in one `t.after`. */
export class ServerLives {
  readonly storeRoot = mkdtempSync(join(tmpdir(), 'stream-manager-lives-'))
  #current: ServerProcess | undefined

  /** Starts the next one; the one before has ended. */
  async start(options: Omit<ServerOptions, 'storeRoot'> = {}): Promise<ServerProcess> {
    this.#current = await startServer({ ...options, storeRoot: this.storeRoot })
    return this.#current
  }

  /** Kills the last server before its store is removed: it would go on writing there. */
  async dispose(): Promise<void> {
    await this.#current?.dispose()
    rmSync(this.storeRoot, { recursive: true, force: true })
  }
}
