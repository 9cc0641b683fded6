import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ARCHITECTURES } from '../../scripts/architectures.ts'
import { fileOf, type Recipe } from '../../scripts/recipe-check.ts'

/** A device as a nucleus sets it up for the component, made from a package. */

const ROOT = join(import.meta.dirname, '..', '..')
export const NAME = 'aws.greengrass.StreamManager'
export const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
/** nobody and nogroup; only root may become another user. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
const READY = 'Stream Manager reporting the state: RUNNING'
const PATIENCE_MS = 60_000
/** What launch.sh calls, and no Node.js. */
const TOOLS = ['dirname', 'id', 'sh', 'uname']

/** A new temporary folder that other users may enter; the caller removes it. */
export function openFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  chmodSync(folder, 0o755)
  return folder
}

/** Runs scripts/package, which builds only when something has changed. */
export function runPackage(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(join(ROOT, 'scripts', 'package'), args, { encoding: 'utf8', cwd: tmpdir() })
}

export interface Output {
  readonly code: number | null
  readonly text: string
}

/** The server as the startup step left it. */
export interface RunningServer {
  readonly port: number
  output(): string
  /** Ends it as a nucleus does. */
  stop(): Promise<Output>
}

export interface Device {
  /** Where the artifacts are: not writable for the component. */
  readonly artifacts: string
  /** Runs the install step to its end. */
  install(): Promise<Output>
  /** Runs the startup step until the server reports RUNNING. */
  start(): Promise<RunningServer>
  /** Runs the startup step to its end, for starts that fail. */
  startToEnd(): Promise<Output>
  dispose(): void
}

export interface DeviceOptions {
  /** The folder that scripts/package wrote. */
  readonly packageFolder: string
  readonly nucleus: 'classic' | 'lite'
  /** What `node` is in the PATH of the component's user; no file when absent. */
  readonly node?: string
  /** Parameters of the deployment, over the recipe's defaults. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Changes the artifacts before they become read-only. */
  readonly prepare?: (artifacts: string) => void
}

/** Replaces recipe variables as the nuclei do (greengrass 2.2, recipe-runner). */
function substitute(text: string, values: Readonly<Record<string, string>>, escape: (value: string) => string): string {
  return text.replace(/\{([^{}]*)\}/g, (_, variable: string) => {
    const value = values[variable]
    if (value === undefined) throw new Error(`no value for the recipe variable ${variable}`)
    return escape(value)
  })
}

const escapeForDoubleQuotes = (value: string): string => value.replace(/["\\$`]/g, '\\$&')

function collect(child: ChildProcess): { text: () => string; ready: Promise<void>; end: Promise<Output> } {
  let text = ''
  const end = once(child, 'close').then(([code]) => ({ code: code as number | null, text }))
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time:\n${text}`)), PATIENCE_MS)
    const take = (chunk: Buffer): void => {
      text += chunk.toString()
      if (!text.includes(READY)) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.on('close', () => {
      clearTimeout(timer)
      reject(new Error(`ended before it was ready:\n${text}`))
    })
  })
  ready.catch(() => undefined)
  return { text: () => text, ready, end }
}

/** Lays out what a nucleus would have downloaded, and runs the steps of the recipe as it would. */
export function createDevice(options: DeviceOptions): Device {
  const { packageFolder, nucleus } = options
  const recipe = parse(readFileSync(join(packageFolder, 'recipes', 'recipe.yaml'), 'utf8')) as Recipe
  const own = ARCHITECTURES.find(({ nodeArch }) => nodeArch === process.arch)?.recipeName
  const manifest = recipe.Manifests.find(({ Platform }) => Platform.architecture === own)
  if (manifest === undefined) throw new Error(`the recipe has no manifest for ${process.arch}`)
  // A blank, because paths may have one.
  const folder = openFolder('stream-manager device-')
  const [artifacts, work, bin] = [join(folder, 'artifacts'), join(folder, 'work'), join(folder, 'bin')]
  for (const path of [artifacts, work, bin]) mkdirSync(path)
  for (const file of manifest.Artifacts.map(({ Uri }) => fileOf(Uri)))
    copyFileSync(join(packageFolder, 'artifacts', NAME, VERSION, file), join(artifacts, file))
  options.prepare?.(artifacts)
  chmodSync(artifacts, 0o555)
  chmodSync(work, 0o700)
  if (USER.uid !== undefined) chownSync(work, USER.uid, USER.gid)
  for (const tool of TOOLS) symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(bin, tool))
  if (options.node !== undefined) symlinkSync(options.node, join(bin, 'node'))

  const slash = nucleus === 'lite' ? '/' : ''
  const defaults = recipe.ComponentConfiguration?.DefaultConfiguration ?? {}
  const parameters = { ...defaults, STREAM_MANAGER_SERVER_PORT: '0', STREAM_MANAGER_AUTHENTICATE_CLIENT: 'false' }
  const values: Record<string, string> = { 'artifacts:path': `${artifacts}${slash}`, 'work:path': `${work}${slash}` }
  for (const [key, value] of Object.entries({ ...parameters, ...options.parameters }))
    values[`configuration:/${key}`] = typeof value === 'string' ? value : JSON.stringify(value)
  const { Setenv: variables = {}, install, startup } = recipe.Lifecycle.all
  const environment = Object.entries(variables).map(([key, value]) => [key, substitute(value, values, String)] as const)

  /** Lite appends two lines to startup scripts (greengrass 2.3). */
  const notify = nucleus === 'lite' ? '\n: systemd-notify --ready\n: systemd-notify --stopping\n' : ''
  const run = (script: string): ReturnType<typeof collect> & { readonly child: ChildProcess } => {
    const escape = nucleus === 'lite' ? escapeForDoubleQuotes : String
    const child = spawn('/bin/sh', ['-c', substitute(script, values, escape)], {
      ...USER,
      cwd: work,
      env: { ...Object.fromEntries(environment), PATH: bin, HOME: '/nonexistent' },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    return { ...collect(child), child }
  }
  return {
    artifacts,
    install: () => run(typeof install === 'string' ? install : install.Script).end,
    async start() {
      const { child, text, ready, end } = run(startup.Script + notify)
      await ready
      return {
        port: Number(/listening.*\bport=(\d+)/.exec(text())?.[1]),
        output: text,
        stop() {
          child.kill('SIGTERM')
          return end
        }
      }
    },
    startToEnd: () => run(startup.Script + notify).end,
    dispose() {
      chmodSync(artifacts, 0o755)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
