import { resolve } from 'node:path'
import { proxySetting } from '../base/proxy-setting.ts'
import { AWS_VARIABLES, type AwsVariables } from './aws-environment.ts'
import type { Config, NucleusAccess } from './config.ts'
import { withFurtherSettings } from './further-settings.ts'
import { type JvmArguments, parseJvmArguments } from './jvm-args.ts'
import { type Environment, parameterText, quoted } from './parameter.ts'
import { NUCLEUS_VARIABLES, type Parameter, PARAMETERS, S3_PART_BYTES_MIN } from './parameters.ts'

/** Room for a path in `sockaddr_un` of Linux, without the final zero. */
const SOCKET_PATH_BYTES_MAX = 107

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
 * Variables that hold secrets. Whoever has read them should take them out of the environment of its process, since child
 * processes inherit that, and Node.js writes it into diagnostic reports.
 */
export const SECRET_VARIABLES: readonly string[] = [
  NUCLEUS_VARIABLES.token,
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN'
]

const SETTING_NAMES = new Set<string>(Object.values(PARAMETERS).map(({ name }) => name))
SETTING_NAMES.delete(PARAMETERS.settings.name)

/**
 * Reads all parameters of the component (behaviour 1.3).
 * @param variables the process environment
 * @param workFolder absolute path that relative paths are taken from: the current directory
 */
export function parseConfig(variables: Environment, workFolder: string): ParsedConfig {
  const problems: Problems = { fatal: [], warnings: [], notes: [] }
  const further = readParameter(variables, PARAMETERS.settings, problems)
  const environment = withFurtherSettings(variables, further, SETTING_NAMES, problems.warnings)
  const read = <Value>(parameter: Parameter<Value>): Value => readParameter(environment, parameter, problems)

  const developerMode = read(PARAMETERS.developerMode)
  const nucleus = nucleusAccess(environment, workFolder)
  const authenticate = read(PARAMETERS.authenticateClients)
  const bandwidthKbit = read(PARAMETERS.bandwidthKbitPerSecond)
  const isNamedProperly = parameterText(environment, PARAMETERS.concurrencyMax.name) !== undefined
  const interCallDelayMs = read(PARAMETERS.kinesisInterCallDelayMs)
  const jvm = readJvmArguments(read(PARAMETERS.jvmArguments), problems.notes)

  const streamsFile = read(PARAMETERS.streamsFile)

  const config: Config = {
    storeRoot: resolve(workFolder, read(PARAMETERS.storeRoot)),
    storeReserveBytes: read(PARAMETERS.storeReserveBytes) || undefined,
    port: read(PARAMETERS.port),
    authenticateClients: decideAuthentication(authenticate, nucleus, developerMode, problems),
    logLevel: read(PARAMETERS.logLevel),
    logFormat: read(PARAMETERS.logFormat),
    memoryTargetBytes: jvm.memoryTargetBytes,
    developerMode,
    monitorPort: read(PARAMETERS.monitorPort) || undefined,
    monitorShowsMessages: read(PARAMETERS.monitorMessages),
    space: {
      reclaimsExported: read(PARAMETERS.reclaimExported),
      protectsUnexported: read(PARAMETERS.protectUnexported),
      budgetBytes: read(PARAMETERS.storeBudgetBytes) || undefined
    },
    declared: {
      text: read(PARAMETERS.streams),
      file: streamsFile === '' ? undefined : resolve(workFolder, streamsFile)
    },
    exporter: {
      bandwidthBitsPerSecond: bandwidthKbit === 0 ? undefined : bandwidthKbit * 1000,
      concurrencyMax: read(isNamedProperly ? PARAMETERS.concurrencyMax : PARAMETERS.concurrencyMaxAlias),
      s3PartBytesMin: raisedPartBytes(read(PARAMETERS.s3PartBytesMin), problems.warnings),
      s3InputRoots: read(PARAMETERS.s3InputRoots),
      s3UsEast1Endpoint: jvm.s3UsEast1Endpoint ?? 'regional',
      // Under Greengrass the recipe passes its default on: only another value is a wish (behaviour 8).
      kinesisInterCallDelayMs:
        interCallDelayMs === PARAMETERS.kinesisInterCallDelayMs.whenUnset ? undefined : interCallDelayMs,
      deadLetterStream: read(PARAMETERS.deadLetterStream) || undefined
    },
    nucleus,
    aws: awsVariables(environment, problems.warnings)
  }
  return { config, ...problems }
}

function readParameter<Value>(environment: Environment, parameter: Parameter<Value>, problems: Problems): Value {
  const { name, type, whenUnset, whenBad } = parameter
  const text = parameterText(environment, name)
  if (text === undefined) return whenUnset
  const value = type.read(text)
  if (value !== undefined) return value
  const problem = `${name} is ${quoted(text)} but must be ${type.allowed}`
  if (whenBad === 'fatal') problems.fatal.push(problem)
  else problems.warnings.push(`${problem}; using the default ${String(whenUnset)}`)
  return whenUnset
}

function raisedPartBytes(bytes: number, warnings: string[]): number {
  if (bytes >= S3_PART_BYTES_MIN) return bytes
  const { name } = PARAMETERS.s3PartBytesMin
  warnings.push(`${name} is ${bytes}, below the minimum of S3; raising it to ${S3_PART_BYTES_MIN}`)
  return S3_PART_BYTES_MIN
}

function readJvmArguments(text: string, notes: string[]): JvmArguments {
  const jvm = parseJvmArguments(text)
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
  const token = parameterText(environment, NUCLEUS_VARIABLES.token)
  const socketPath = parameterText(environment, NUCLEUS_VARIABLES.socketPath)
  if (token === undefined || socketPath === undefined) return undefined
  const absolute = resolve(workFolder, socketPath)
  return { token, socketPath: Buffer.byteLength(absolute) > SOCKET_PATH_BYTES_MAX ? socketPath : absolute }
}

function awsVariables(environment: Environment, warnings: string[]): AwsVariables {
  const entries = AWS_VARIABLES.map((name) => [name, parameterText(environment, name)] as const)
  const variables: AwsVariables = Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  const proxy = proxySetting(variables)
  if (proxy !== undefined && proxy.url === undefined)
    warnings.push(`${proxy.name} is not the URL of an http or https proxy; connections to AWS are made directly`)
  return variables
}
