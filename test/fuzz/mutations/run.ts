import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MUTATIONS, type Mutation } from './mutations.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const COPIED = [
  'component',
  'test',
  'scripts',
  'docs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'recipe.yaml',
  'gdk-config.json'
]
const TEST_MS_MAX = 600_000

/** A copy of the sources; what is not changed by anybody is shared. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'stream-manager-mutation-'))
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** @throws when the text is not there exactly once: the mutation must be brought up to date */
function plant(copy: string, { name, file, text, replacement }: Mutation): void {
  const path = join(copy, 'component', file)
  const parts = readFileSync(path, 'utf8').split(text)
  if (parts.length !== 2) throw new Error(`${name}: its text occurs ${parts.length - 1} times in ${file}`)
  writeFileSync(path, parts.join(replacement))
}

async function passes(copy: string, file: string, needsBuild: boolean): Promise<boolean> {
  const run = async (args: readonly string[]): Promise<number | null> => {
    const child = spawn(process.execPath, ['--import', 'tsx', ...args], { cwd: copy, stdio: 'ignore' })
    const timer = setTimeout(() => child.kill('SIGKILL'), TEST_MS_MAX)
    const [code] = (await once(child, 'exit')) as [number | null]
    clearTimeout(timer)
    return code
  }
  if (needsBuild && (await run(['scripts/build.ts'])) !== 0) throw new Error('the changed sources cannot be built')
  return (await run(['--test', join('test', file)])) === 0
}

/** The first test that notices the bug. */
async function catcherOf(mutation: Mutation): Promise<string | undefined> {
  const copy = copyTree()
  try {
    plant(copy, mutation)
    for (const file of mutation.tests) {
      const needsBuild = file.startsWith('crash/') || file.startsWith('integration/')
      if (!(await passes(copy, file, needsBuild))) return file
    }
    return undefined
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/**
 * Plants each bug in a copy of the sources and runs the tests that have to notice it.
 * @param names of mutations; none are all
 * @returns whether all were caught
 */
export async function runMutations(names: readonly string[]): Promise<boolean> {
  const chosen = names.length === 0 ? MUTATIONS : MUTATIONS.filter(({ name }) => names.includes(name))
  let caught = 0
  for (const mutation of chosen) {
    const catcher = await catcherOf(mutation)
    console.log(`${mutation.name.padEnd(32)} ${catcher === undefined ? 'NOT CAUGHT' : `caught by ${catcher}`}`)
    if (catcher !== undefined) caught += 1
  }
  console.log(`${caught} of ${chosen.length} caught`)
  return chosen.length > 0 && caught === chosen.length
}
