import { createReadStream } from 'node:fs'
import { setPriority } from 'node:os'
import { dirname, resolve } from 'node:path'
import { isMainThread, MessageChannel, Worker } from 'node:worker_threads'
import { startApp, type Platform } from './app.ts'
import { settleAllocator } from './base/allocator.ts'
import { systemClock } from './base/clock.ts'
import { describeError, Fault } from './base/fault.ts'
import { createLogger, type Logger } from './base/log.ts'
import { systemRandom } from './base/random.ts'
import { describeConfig, parseConfig, SECRET_VARIABLES, VERSION } from './config/index.ts'
import { probeCatalogue, probeInChild } from './store/catalogue/index.ts'
import { nodeDisk } from './store/index.ts'
import { StoreInUse } from './store/store-lock.ts'

/** The AWS SDK warns of Node.js versions that it will leave behind; which one runs is the device's choice. */
const EXPORTER_ENVIRONMENT = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }
/** Niceness of the exports' thread: where processors are short, clients come first, and a third of a share remains. */
const EXPORTER_NICENESS = 5
/** Tells a second process of this program to examine a catalogue and end with 0 if it is sound. */
const PROBE_ARGUMENT = '--probe-catalogue'
/** Exit code of a start that failed for a reason the operator can mend. */
const START_FAILED = 1
/** Exit code when another server holds the store: starting again does not help before that one ends. */
const STORE_IN_USE = 2
/** Exit code after a bug (EX_SOFTWARE of sysexits.h). */
const BUG = 70

function writeLine(line: string): void {
  process.stdout.write(line)
}

function platformOf(logger: Logger): Platform {
  return {
    clock: systemClock,
    random: systemRandom,
    logger,
    programFolder: dirname(__filename),
    createExporterWorker: () => new Worker(__filename, { env: { ...process.env, ...EXPORTER_ENVIRONMENT } }),
    probeCatalogue: (path) => probeInChild(systemClock, process.execPath, [__filename, PROBE_ARGUMENT], path)
  }
}

/** A bug may have left anything behind: say it once, with its stack, and let the platform start us anew. */
function exitOnBug(logger: Logger): void {
  const report = (error: unknown): void => {
    logger.error('The server ends because of a bug', { error: describeError(error) })
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(BUG)
  }
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
}

/**
 * Without a listener the signal has Node.js open its inspector: a port of the loopback address, at which every local process
 * may read the memory of this one and run code in it (reliability 6.2 L4).
 */
function keepInspectorClosed(): void {
  process.on('SIGUSR1', () => undefined)
}

/** The first signal ends in order, the second at once. */
function stopOnSignal(stop: () => Promise<void>, logger: Logger): void {
  let isStopping = false
  const end = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(START_FAILED)
    isStopping = true
    logger.info('The server is stopping', { signal })
    stop().then(
      () => {
        logger.info('The server has stopped')
        process.exit(0)
      },
      (error: unknown) => {
        logger.error('The server could not stop in order', { error: describeError(error) })
        process.exit(START_FAILED)
      }
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}

async function main(): Promise<void> {
  settleAllocator()
  const { config, fatal, warnings, notes } = parseConfig(process.env, process.cwd())
  for (const name of SECRET_VARIABLES) Reflect.deleteProperty(process.env, name)
  const output = { format: config.logFormat, write: writeLine, wallMs: systemClock.wallMs }
  const logger = createLogger({ level: config.logLevel, ...output })
  // A closed output must not end the server.
  process.stdout.on('error', () => undefined)
  exitOnBug(logger)
  logger.info('Stream Manager is starting', { version: VERSION, node: process.version, ...describeConfig(config) })
  for (const note of notes) logger.info(note)
  for (const warning of warnings) logger.warn(warning)
  for (const reason of fatal) logger.error(reason)
  if (fatal.length > 0) process.exit(START_FAILED)
  try {
    const app = await startApp(config, platformOf(logger))
    stopOnSignal(() => app.stop(), logger)
    if (!(await app.announce())) return
    // Programs wait for these lines, so they come at every LOG_LEVEL (behaviour 2, rule 4).
    const announcements = createLogger({ level: 'INFO', ...output })
    announcements.info('The server is listening', { port: app.port, streams: app.streamCount })
    announcements.info('Stream Manager reporting the state: RUNNING')
    app.startExports()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    logger.error('Stream Manager cannot start', { reason: error.message })
    process.exit(error instanceof StoreInUse ? STORE_IN_USE : START_FAILED)
  }
}

/** Resolves when the output has taken what was written, or will take nothing any more. */
function flushOutput(): Promise<void> {
  const { stdout } = process
  if (stdout.destroyed || !stdout.writableNeedDrain) return Promise.resolve()
  return new Promise((done) => {
    stdout.once('drain', done).once('close', done)
  })
}

/** Commands end by themselves, so that all of their output leaves first. */
async function runTool(args: readonly string[]): Promise<void> {
  const interrupt = new AbortController()
  // Nobody reads any further, as with `| head`.
  process.stdout.on('error', () => interrupt.abort())
  process.once('SIGINT', () => interrupt.abort())
  // Timers do not keep the process alive, and a command may wait for nothing else.
  const { port1: alive } = new MessageChannel()
  alive.ref()
  try {
    const { runCommand } = await import('./cli/index.ts')
    process.exitCode = await runCommand(args, {
      write: (text) => void process.stdout.write(text),
      flush: flushOutput,
      writeError: (text) => void process.stderr.write(text),
      disk: nodeDisk,
      workFolder: process.cwd(),
      environment: process.env,
      clock: systemClock,
      columns: process.stdout.isTTY ? process.stdout.columns : undefined,
      showsProgress: process.stderr.isTTY,
      openInput: (path) => (path === '-' ? process.stdin : createReadStream(resolve(path))),
      interrupted: interrupt.signal,
      async loadProbes() {
        Object.assign(process.env, EXPORTER_ENVIRONMENT)
        return (await import('./exporter/probe.ts')).createCloudProbes
      }
    })
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exitCode = BUG
  } finally {
    alive.close()
  }
}

/** The code is imported where it runs: the main thread has no use for that of the sinks. */
async function runExporter(): Promise<void> {
  try {
    // On Linux that of this thread alone (setpriority(2)).
    setPriority(EXPORTER_NICENESS)
  } catch {
    // A sandbox may forbid it: exports work at any priority.
  }
  const { runExporterWorker } = await import('./exporter/worker.ts')
  runExporterWorker()
}

if (isMainThread) keepInspectorClosed()
const [argument, path] = process.argv.slice(2)
if (!isMainThread) void runExporter()
else if (argument === PROBE_ARGUMENT && path !== undefined)
  void probeCatalogue(path).then((isSound) => process.exit(isSound ? 0 : 1))
// Whatever else is said is meant for a command: a server must not be started by a misspelt one.
else if (argument !== undefined) void runTool(process.argv.slice(2))
else void main()
