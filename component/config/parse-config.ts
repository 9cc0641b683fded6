import { isAbsolute, resolve } from 'node:path'
import { LOG_LEVELS } from '../base/log.ts'
import { AWS_VARIABLES, type AwsVariables } from './aws-environment.ts'
import { type Config, DEFAULTS, type NucleusAccess, S3_PART_BYTES_MIN } from './config.ts'
import { type JvmArguments, parseJvmArguments } from './jvm-args.ts'
import {
  type Environment,
  parameterText,
  quoted,
  readBoolean,
  readChoice,
  readInteger,
  type ReadText
} from './parameter.ts'

const PORT_MAX = 65_535
/** Each parallel export may hold a batch of several MiB. */
const CONCURRENCY_MAX = 100
const S3_PART_BYTES_MAX = 5 * 2 ** 30
const INTER_CALL_DELAY_MS_MAX = 3_600_000
const BANDWIDTH_KBIT_MAX = 1_000_000_000
/** Room for a path in `sockaddr_un` of Linux, without the final zero. */
const SOCKET_PATH_BYTES_MAX = 107
/** Longest path of a Linux file system call. */
const PATH_BYTES_MAX = 4_096

/** The settings and everything an operator should know about them; each text is a sentence without a final dot. */
export interface ParsedConfig {
  /** Complete in any case: a parameter with a bad value has its default. */
  readonly config: Config
  /** Reasons to end with exit code 1 (behaviour 1.3 and 2, rules 5 and 6); the rest still allows logging them properly. */
  readonly fatal: readonly string[]
  readonly warnings: readonly string[]
  readonly notes: readonly string[]
}

interface Problems {
  readonly fatal: string[]
  readonly warnings: string[]
  readonly notes: string[]
}

/**
 * Reads all parameters of the component (behaviour 1.3).
 * @param environment the process environment
 * @param workFolder absolute path that relative paths are taken from: the current directory
 */
export function parseConfig(environment: Environment, workFolder: string): ParsedConfig {
  const problems: Problems = { fatal: [], warnings: [], notes: [] }
  const read = <Value>(name: string, readText: ReadText<Value>, whenUnset: Value): Value =>
    readParameter(environment, name, readText, whenUnset, problems.warnings)

  const developerMode = read('STREAM_MANAGER_DEVELOPER_MODE', readBoolean, DEFAULTS.developerMode)
  const nucleus = nucleusAccess(environment, workFolder)
  const authenticate = read('STREAM_MANAGER_AUTHENTICATE_CLIENT', readBoolean, DEFAULTS.authenticateClients)
  const bandwidthKbit = read(
    'STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH',
    readInteger(0, BANDWIDTH_KBIT_MAX),
    DEFAULTS.bandwidthKbitPerSecond
  )
  const poolSizeName =
    parameterText(environment, 'STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE') === undefined
      ? 'STREAM_MANAGER_THREAD_POOL_SIZE'
      : 'STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE'
  // Under Greengrass the recipe passes its default on: only another value is a wish (behaviour 8).
  const interCallDelayMs = read(
    'STREAM_MANAGER_EXPORTER_KINESIS_INTER_CALL_DELAY_MS',
    readInteger(0, INTER_CALL_DELAY_MS_MAX),
    DEFAULTS.kinesisInterCallDelayMs
  )
  const jvm = readJvmArguments(environment, problems.notes)

  const config: Config = {
    storeRoot: readStoreRoot(environment, workFolder, problems.fatal),
    port: readPort(environment, problems.fatal),
    authenticateClients: decideAuthentication(authenticate, nucleus, developerMode, problems),
    logLevel: read('LOG_LEVEL', readChoice(LOG_LEVELS), DEFAULTS.logLevel),
    memoryTargetBytes: jvm.memoryTargetBytes,
    developerMode,
    exporter: {
      bandwidthBitsPerSecond: bandwidthKbit === 0 ? undefined : bandwidthKbit * 1000,
      concurrencyMax: read(poolSizeName, readInteger(1, CONCURRENCY_MAX), DEFAULTS.concurrencyMax),
      s3PartBytesMin: readS3PartBytes(environment, problems.warnings),
      s3InputRoots: readInputRoots(environment, problems.fatal),
      s3UsEast1Endpoint: jvm.s3UsEast1Endpoint ?? DEFAULTS.s3UsEast1Endpoint,
      kinesisInterCallDelayMs: interCallDelayMs === DEFAULTS.kinesisInterCallDelayMs ? undefined : interCallDelayMs
    },
    nucleus,
    aws: awsVariables(environment)
  }
  return { config, ...problems }
}

function readParameter<Value>(
  environment: Environment,
  name: string,
  readText: ReadText<Value>,
  whenUnset: Value,
  warnings: string[]
): Value {
  const text = parameterText(environment, name)
  if (text === undefined) return whenUnset
  const reading = readText(text)
  if (reading.ok) return reading.value
  warnings.push(`${badValue(name, text, reading.allowed)}; using the default ${String(whenUnset)}`)
  return whenUnset
}

function badValue(name: string, text: string, allowed: string): string {
  return `${name} is ${quoted(text)} but must be ${allowed}`
}

/** A wrong folder must not silently become another one: data would seem lost. */
function readStoreRoot(environment: Environment, workFolder: string, fatal: string[]): string {
  const text = parameterText(environment, 'STREAM_MANAGER_STORE_ROOT_DIR') ?? DEFAULTS.storeRoot
  if (!text.includes('\0') && Buffer.byteLength(text) < PATH_BYTES_MAX) return resolve(workFolder, text)
  fatal.push(badValue('STREAM_MANAGER_STORE_ROOT_DIR', text, `a path of fewer than ${PATH_BYTES_MAX} bytes`))
  return resolve(workFolder, DEFAULTS.storeRoot)
}

/** Clients were told the configured port: listening on another one would look like a dead server. */
function readPort(environment: Environment, fatal: string[]): number {
  const name = 'STREAM_MANAGER_SERVER_PORT'
  const text = parameterText(environment, name)
  if (text === undefined) return DEFAULTS.port
  const reading = readInteger(0, PORT_MAX)(text)
  if (reading.ok) return reading.value
  fatal.push(badValue(name, text, `${reading.allowed}, where 0 means any free port`))
  return DEFAULTS.port
}

function readS3PartBytes(environment: Environment, warnings: string[]): number {
  const name = 'STREAM_MANAGER_EXPORTER_S3_DESTINATION_MULTIPART_UPLOAD_MIN_PART_SIZE_BYTES'
  const bytes = readParameter(environment, name, readInteger(0, S3_PART_BYTES_MAX), DEFAULTS.s3PartBytesMin, warnings)
  if (bytes >= S3_PART_BYTES_MIN) return bytes
  warnings.push(`${name} is ${bytes}, below the minimum of S3; raising it to ${S3_PART_BYTES_MIN}`)
  return S3_PART_BYTES_MIN
}

/** A fence with a hole is worse than none that was asked for. */
function readInputRoots(environment: Environment, fatal: string[]): readonly string[] {
  const name = 'STREAM_MANAGER_S3_INPUT_ROOTS'
  const text = parameterText(environment, name)
  if (text === undefined) return []
  const roots = text.split(':')
  if (roots.every((root) => isAbsolute(root) && !root.includes('\0'))) return roots.map((root) => resolve(root))
  fatal.push(badValue(name, text, 'absolute paths with colons between them'))
  return []
}

function readJvmArguments(environment: Environment, notes: string[]): JvmArguments {
  const jvm = parseJvmArguments(parameterText(environment, 'JVM_ARGS') ?? '')
  if (jvm.ignored.length > 0) {
    notes.push(
      `JVM_ARGS contains arguments that only a Java program understands; ignoring ${quoted(jvm.ignored.join(' '))}`
    )
  }
  return jvm
}

/** Without a nucleus nobody can validate tokens (behaviour 2, rule 5). */
function decideAuthentication(
  wanted: boolean,
  nucleus: NucleusAccess | undefined,
  developerMode: boolean,
  problems: Problems
): boolean {
  if (!wanted || nucleus !== undefined) return wanted
  if (!developerMode) {
    problems.fatal.push(
      'STREAM_MANAGER_AUTHENTICATE_CLIENT is true but there is no Greengrass nucleus to validate tokens; ' +
        'start the server as a Greengrass component, or set STREAM_MANAGER_AUTHENTICATE_CLIENT to false'
    )
    return true
  }
  problems.warnings.push(
    'STREAM_MANAGER_DEVELOPER_MODE is true and there is no Greengrass nucleus; clients are not authenticated'
  )
  return false
}

/**
 * The nucleus gives a path relative to the work folder when the absolute one is too long for a socket (greengrass 3). The
 * process stays in that folder, so it is kept then.
 */
function nucleusAccess(environment: Environment, workFolder: string): NucleusAccess | undefined {
  const token = parameterText(environment, 'SVCUID')
  const socketPath = parameterText(environment, 'AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT')
  if (token === undefined || socketPath === undefined) return undefined
  const absolute = resolve(workFolder, socketPath)
  return { token, socketPath: Buffer.byteLength(absolute) > SOCKET_PATH_BYTES_MAX ? socketPath : absolute }
}

function awsVariables(environment: Environment): AwsVariables {
  const entries = AWS_VARIABLES.map((name) => [name, parameterText(environment, name)] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}
