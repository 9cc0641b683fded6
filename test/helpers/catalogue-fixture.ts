import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../component/base/clock.ts'
import {
  openCatalogue,
  probeInChild,
  type Catalogue,
  type CatalogueOptions
} from '../../component/store/catalogue/index.ts'
import { createRecordingLog, type RecordingLog } from './recording-log.ts'

/** A folder that is removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

export interface OpenedCatalogue {
  readonly catalogue: Catalogue
  readonly log: RecordingLog
}

/** Opens a catalogue with real files, by default with a probe that must not be needed. */
export async function openTestCatalogue(
  folder: string,
  options: Partial<CatalogueOptions> = {}
): Promise<OpenedCatalogue> {
  const log = createRecordingLog()
  const catalogue = await openCatalogue({
    folder,
    clock: systemClock,
    log,
    probe: () => Promise.reject(new Error('no probe expected')),
    ...options
  })
  return { catalogue, log }
}

/** Examines a database in a process of its own. */
export function probeWithChild(path: string): Promise<boolean> {
  const script = fileURLToPath(new URL('catalogue-child.ts', import.meta.url))
  return probeInChild(systemClock, process.execPath, ['--import', 'tsx', script, 'probe'], path)
}

/** The entries as text. */
export function textEntries(catalogue: Catalogue): Record<string, string> {
  const sorted = [...catalogue.entries()].sort(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(sorted.map(([key, value]) => [key, value.toString()] as const))
}

/** A change with a text value; none to remove the key. */
export function change(key: string, value?: string): { key: string; value: Buffer | undefined } {
  return { key, value: value === undefined ? undefined : Buffer.from(value) }
}
