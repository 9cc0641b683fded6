import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { killChild, spawnTypescript } from './typescript-child.ts'

/** What a start on a damaged folder came to. */
export interface OpenOutcome {
  readonly folder: string
  /** Starts that died before this one. */
  readonly deaths: number
  readonly complete: boolean
  /** Errors in its log. */
  readonly errors: number
  readonly entries: Readonly<Record<string, string>>
}

/** A start that takes longer hangs. */
const START_DEADLINE_MS = 30_000

/** Opens the folders one after the other in one process, as far as it gets. */
async function openInOneProcess(folders: readonly string[]): Promise<Omit<OpenOutcome, 'deaths'>[]> {
  const child = spawnTypescript('catalogue-child.ts', ['open', ...folders], ['ignore', 'pipe', 'ignore'])
  const outcomes: Omit<OpenOutcome, 'deaths'>[] = []
  const exit = once(child, 'exit')
  let watchdog = setTimeout(() => void killChild(child), START_DEADLINE_MS)
  for await (const line of createInterface({ input: child.stdout! })) {
    outcomes.push(JSON.parse(line) as OpenOutcome)
    clearTimeout(watchdog)
    watchdog = setTimeout(() => void killChild(child), START_DEADLINE_MS)
  }
  await exit
  clearTimeout(watchdog)
  return outcomes
}

/**
 * Starts on each folder in child processes, again after a start that died, as whatever runs the server does.
 * @throws when a folder's start dies more than `deathsMax` times
 */
export async function openInChildren(folders: readonly string[], deathsMax = 1): Promise<OpenOutcome[]> {
  const outcomes: OpenOutcome[] = []
  let deaths = 0
  while (outcomes.length < folders.length) {
    const opened = await openInOneProcess(folders.slice(outcomes.length))
    for (const [index, outcome] of opened.entries()) outcomes.push({ ...outcome, deaths: index === 0 ? deaths : 0 })
    if (outcomes.length === folders.length) break
    deaths = opened.length === 0 ? deaths + 1 : 1
    const folder = folders[outcomes.length]
    if (deaths > deathsMax) throw new Error(`start number ${deaths} on ${String(folder)} died`)
  }
  return outcomes
}
