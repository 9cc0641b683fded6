import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HOST_ARCHITECTURE } from '../../scripts/architectures.ts'
import { bundle } from '../../scripts/bundle.ts'
import { collectNativeParts } from '../../scripts/native-parts.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** A build of the server that nobody replaces while a long run uses it. */
export interface OwnBuild {
  /** Path of the bundle, for `ServerOptions.bundle` or STREAM_MANAGER_TEST_BUNDLE. */
  readonly path: string
  remove(): void
}

/** The bundle that STREAM_MANAGER_TEST_BUNDLE names, or the sources of this moment built into a temporary folder. */
export async function makeOwnBuild(): Promise<OwnBuild> {
  const given = process.env['STREAM_MANAGER_TEST_BUNDLE']
  if (given !== undefined) return { path: given, remove: () => undefined }
  if (HOST_ARCHITECTURE === undefined) throw new Error(`there are no native parts for ${process.arch}`)
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-build-'))
  const path = join(folder, 'stream-manager.cjs')
  collectNativeParts(HOST_ARCHITECTURE, { root: ROOT, output: folder, note: () => undefined })
  await bundle(join(ROOT, 'component', 'main.ts'), path, 'test')
  return { path, remove: () => rmSync(folder, { recursive: true }) }
}
