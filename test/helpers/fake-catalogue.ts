import { Fault } from '../../component/base/fault.ts'
import type { Random } from '../../component/base/random.ts'
import { nextTurn } from '../../component/base/turn.ts'
import type { Catalogue, CatalogueChange } from '../../component/store/catalogue/change.ts'

/** A catalogue in memory that keeps the promises of the real one and fails on demand. */
export interface FakeCatalogue extends Catalogue {
  /** All commits asked for, as `key=` or `key removed`. */
  readonly commits: readonly string[][]
  /** What a restart finds. */
  readonly durable: ReadonlyMap<string, Buffer>
  /** Decides about each commit when its time has come; true makes it fail. */
  fails: (changes: readonly CatalogueChange[]) => boolean
  /** How long a commit takes; one turn of the event loop by default. */
  delay: () => Promise<void>
  /** The program ends: what was not committed is there or not. Returns the catalogue of the next run. */
  restart(random: Random): FakeCatalogue
}

export function createFakeCatalogue(initial: ReadonlyMap<string, Buffer> = new Map()): FakeCatalogue {
  const table = new Map(initial)
  const durable = new Map(initial)
  /** Keys whose last change is not durable: those of failed commits wait here for the next one, as in the real one. */
  const pending = new Set<string>()
  const commits: string[][] = []
  let isClosed = false

  const copy = (from: ReadonlyMap<string, Buffer>, to: Map<string, Buffer>, key: string): void => {
    const value = from.get(key)
    if (value === undefined) to.delete(key)
    else to.set(key, value)
  }

  const catalogue: FakeCatalogue = {
    complete: true,
    fault: undefined,
    commits,
    durable,
    fails: () => false,
    delay: nextTurn,
    entries: () => table,
    async commit(changes) {
      if (isClosed) throw new Fault('the catalogue is closed')
      commits.push(changes.map(({ key, value }) => (value === undefined ? `${key} removed` : `${key}=`)))
      for (const { key, value } of changes) {
        if (value === undefined) table.delete(key)
        else table.set(key, Buffer.from(value))
        pending.add(key)
      }
      await catalogue.delay()
      if (catalogue.fails(changes)) throw new Fault('the catalogue is broken')
      for (const key of pending) copy(table, durable, key)
      pending.clear()
    },
    close() {
      isClosed = true
      return Promise.resolve()
    },
    restart(random) {
      isClosed = true
      const left = new Map(durable)
      if (random.fraction() < 0.5) for (const key of pending) copy(table, left, key)
      return createFakeCatalogue(left)
    }
  }
  return catalogue
}
