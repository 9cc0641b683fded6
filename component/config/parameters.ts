import { isAbsolute, resolve } from 'node:path'
import { MIB } from '../base/limits.ts'
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '../base/log.ts'
import { BOOLEAN, integerBetween, oneOf, TEXT, type ValueType } from './value-type.ts'

/**
 * A setting of the component (behaviour 1.3): an environment variable, which the recipe fills from the parameter of the
 * same name. Its texts are Markdown; docs/configuration.md is made of them.
 */
export interface Parameter<Value> {
  readonly name: string
  readonly type: ValueType<Value>
  /** What it means when it is not set. */
  readonly whenUnset: Value
  /** Text of its default in the recipe; undefined for a setting that a deployment does not offer. */
  readonly recipeDefault: string | Readonly<Record<string, string>> | undefined
  /**
   * In the recipe it is an entry of STREAM_MANAGER_SETTINGS: nucleus lite reads no recipe of more than 255 keys, values
   * and items, and a parameter of its own is named twice.
   */
  readonly isGrouped?: true
  readonly unit?: string
  /** A sentence, or some, without a final dot. */
  readonly meaning: string
  /** The version, of the original component or of this one, that introduced it. */
  readonly since: string
  /** What becomes of a value that is not allowed: a warning and the default, or no start at all. */
  readonly whenBad: 'default' | 'fatal'
}

const PORT_MAX = 65_535
/** Each parallel export may hold a batch of several MiB. */
const CONCURRENCY_MAX = 100
export const S3_PART_BYTES_MIN = 5 * MIB
const S3_PART_BYTES_MAX = 5 * 2 ** 30
const INTER_CALL_DELAY_MS_MAX = 3_600_000
const BANDWIDTH_KBIT_MAX = 1_000_000_000
const STORE_RESERVE_BYTES_MAX = 2 ** 50
/** Longest path of a Linux file system call. */
const PATH_BYTES_MAX = 4_096

const PATH: ValueType<string> = {
  allowed: `a path of fewer than ${PATH_BYTES_MAX} bytes`,
  read: (text) => (text.includes('\0') || Buffer.byteLength(text) >= PATH_BYTES_MAX ? undefined : text)
}

const FOLDERS: ValueType<readonly string[]> = {
  allowed: 'absolute paths with colons between them',
  read(text) {
    const roots = text.split(':')
    return roots.every((root) => isAbsolute(root) && !root.includes('\0'))
      ? roots.map((root) => resolve(root))
      : undefined
  }
}

/** The characters of stream names (behaviour 3.1). */
const STREAM_NAME_OR_NONE: ValueType<string> = {
  allowed: 'the name of a stream',
  read: (text) => (/^[\w ,.-]{0,255}$/.test(text) ? text : undefined)
}

/** Infers the type of the values. */
const parameter = <Value>(described: Parameter<Value>): Parameter<Value> => described

/** All settings: parsing, the log of a bad value, the recipe's defaults and the document follow this table. */
export const PARAMETERS = {
  storeRoot: parameter({
    name: 'STREAM_MANAGER_STORE_ROOT_DIR',
    type: PATH,
    whenUnset: '.',
    recipeDefault: '.',
    meaning:
      "Existing folder for all data, below the component's work folder when relative. The user of the component must be able " +
      'to read, write and enter it. Another folder leaves the data of the old one where they are',
    since: '2.0.7',
    // A wrong folder must not silently become another one: data would seem lost.
    whenBad: 'fatal'
  }),
  port: parameter({
    name: 'STREAM_MANAGER_SERVER_PORT',
    type: integerBetween(0, PORT_MAX, ', where 0 means any free port'),
    whenUnset: 8_088,
    recipeDefault: '8088',
    meaning: 'TCP port on 127.0.0.1 and, where there is one, ::1',
    since: '2.0.7',
    // Clients were told the configured port: listening on another one would look like a dead server.
    whenBad: 'fatal'
  }),
  authenticateClients: parameter({
    name: 'STREAM_MANAGER_AUTHENTICATE_CLIENT',
    type: BOOLEAN,
    whenUnset: true,
    recipeDefault: 'true',
    meaning:
      'Whether clients must show a token that the nucleus accepts; with `false` every local process is admitted. Without a ' +
      'nucleus the server starts only with `false`',
    since: '2.0.7',
    whenBad: 'default'
  }),
  bandwidthKbitPerSecond: parameter({
    name: 'STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH',
    type: integerBetween(0, BANDWIDTH_KBIT_MAX),
    whenUnset: 0,
    recipeDefault: '0',
    unit: 'kbit/s',
    meaning: 'Average over the request bodies of all exports, where 1 kbit is 1000 bit; `0` is unlimited',
    since: '2.0.7',
    whenBad: 'default'
  }),
  concurrencyMax: parameter({
    name: 'STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE',
    type: integerBetween(1, CONCURRENCY_MAX),
    whenUnset: 5,
    recipeDefault: '5',
    unit: 'requests',
    meaning:
      'Export requests that make progress at a time; as many again may be open whose destination keeps them waiting for longer than 5 s',
    since: '2.0.7',
    whenBad: 'default'
  }),
  /** The name that one page of the original's documentation used. */
  concurrencyMaxAlias: parameter({
    name: 'STREAM_MANAGER_THREAD_POOL_SIZE',
    type: integerBetween(1, CONCURRENCY_MAX),
    whenUnset: 5,
    recipeDefault: undefined,
    unit: 'requests',
    meaning: 'Another name for the one above, which wins',
    since: '2.4.0',
    whenBad: 'default'
  }),
  s3PartBytesMin: parameter({
    name: 'STREAM_MANAGER_EXPORTER_S3_DESTINATION_MULTIPART_UPLOAD_MIN_PART_SIZE_BYTES',
    type: integerBetween(0, S3_PART_BYTES_MAX),
    whenUnset: S3_PART_BYTES_MIN,
    recipeDefault: String(S3_PART_BYTES_MIN),
    unit: 'bytes',
    meaning:
      `Size of the parts of an S3 upload; less than ${S3_PART_BYTES_MIN} is raised to that, with a warning. Files of more ` +
      'than 10,000 parts have larger ones',
    since: '2.0.7',
    whenBad: 'default'
  }),
  kinesisInterCallDelayMs: parameter({
    name: 'STREAM_MANAGER_EXPORTER_KINESIS_INTER_CALL_DELAY_MS',
    type: integerBetween(0, INTER_CALL_DELAY_MS_MAX),
    whenUnset: 1_000,
    recipeDefault: '1000',
    unit: 'milliseconds',
    meaning:
      'Pause after every Kinesis request of one export while the shards are not known; `0` is none. At its default: 1 s ' +
      'after a throttled answer only, halved by each success ([kinesis.md](kinesis.md))',
    since: '2.3.1',
    whenBad: 'default'
  }),
  s3InputRoots: parameter<readonly string[]>({
    name: 'STREAM_MANAGER_S3_INPUT_ROOTS',
    type: FOLDERS,
    whenUnset: [],
    recipeDefault: '',
    meaning: 'When set, S3 tasks upload only files below these folders ([s3-tasks.md](s3-tasks.md))',
    since: '2.4.0',
    // A fence with a hole is worse than none that was asked for.
    whenBad: 'fatal'
  }),
  storeReserveBytes: parameter({
    name: 'STREAM_MANAGER_STORE_RESERVE_BYTES',
    type: integerBetween(0, STORE_RESERVE_BYTES_MAX),
    whenUnset: 0,
    recipeDefault: '0',
    unit: 'bytes',
    meaning:
      'Space of the file system that streams leave free; below it appends to file streams are refused, or the oldest data ' +
      'make room. `0` is 16 MiB or a hundredth of the file system, whichever is more',
    since: '2.4.0',
    whenBad: 'default'
  }),
  storeBudgetBytes: parameter({
    name: 'STREAM_MANAGER_STORE_BUDGET_BYTES',
    type: integerBetween(0, STORE_RESERVE_BYTES_MAX),
    whenUnset: 0,
    recipeDefault: '0',
    isGrouped: true,
    unit: 'bytes',
    meaning:
      'Bound on the stored messages of all file streams together; `0` is none. Beyond it overwriting streams make room ' +
      '([space.md](space.md))',
    since: '2.4.0',
    whenBad: 'default'
  }),
  reclaimExported: parameter({
    name: 'STREAM_MANAGER_RECLAIM_EXPORTED_SEGMENTS',
    type: BOOLEAN,
    whenUnset: false,
    recipeDefault: 'false',
    isGrouped: true,
    meaning:
      'Whether segments that every enabled export of their stream has passed are dropped early ([space.md](space.md))',
    since: '2.4.0',
    whenBad: 'default'
  }),
  protectUnexported: parameter({
    name: 'STREAM_MANAGER_PROTECT_UNEXPORTED',
    type: BOOLEAN,
    whenUnset: false,
    recipeDefault: 'false',
    isGrouped: true,
    meaning:
      'Whether a full stream with `OverwriteOldestData` refuses new messages rather than drop what an enabled export has not ' +
      'exported yet ([space.md](space.md))',
    since: '2.4.0',
    whenBad: 'default'
  }),
  streams: parameter({
    name: 'STREAM_MANAGER_STREAMS',
    type: TEXT,
    whenUnset: '',
    // Texts, which a deployment replaces by lists: a nucleus might drop a list or an object that is empty.
    recipeDefault: { definitions: '', delete: '' },
    meaning:
      'Streams that the server creates, updates and deletes when it starts: in a deployment an object with the lists ' +
      '`definitions` and `delete`, as a variable its JSON or YAML text ([declared-streams.md](declared-streams.md))',
    since: '2.4.0',
    whenBad: 'default'
  }),
  streamsFile: parameter({
    name: 'STREAM_MANAGER_STREAMS_FILE',
    type: PATH,
    whenUnset: '',
    recipeDefault: '',
    isGrouped: true,
    meaning:
      "File with the same in JSON or YAML, below the component's work folder when its path is relative; both count, " +
      'each stream is declared once',
    since: '2.4.0',
    whenBad: 'default'
  }),
  deadLetterStream: parameter({
    name: 'STREAM_MANAGER_EXPORTER_DEAD_LETTER_STREAM',
    type: STREAM_NAME_OR_NONE,
    whenUnset: '',
    recipeDefault: '',
    isGrouped: true,
    meaning:
      'Name of an existing stream that gets a copy of every message which an export skips, with the reason; empty is none ' +
      '([monitoring.md](monitoring.md#dead-letters))',
    since: '2.4.0',
    whenBad: 'default'
  }),
  monitorPort: parameter({
    name: 'STREAM_MANAGER_MONITOR_PORT',
    type: integerBetween(0, PORT_MAX, ', where 0 means none'),
    whenUnset: 0,
    recipeDefault: '0',
    isGrouped: true,
    meaning:
      'TCP port on 127.0.0.1 for metrics, health and status over HTTP; every local process may read them, and nobody can ' +
      'change anything there ([monitoring.md](monitoring.md))',
    since: '2.4.0',
    whenBad: 'default'
  }),
  monitorMessages: parameter({
    name: 'STREAM_MANAGER_MONITOR_MESSAGES',
    type: BOOLEAN,
    whenUnset: false,
    recipeDefault: 'false',
    isGrouped: true,
    meaning:
      'Whether the page on that port shows the newest messages of streams, without a token, to every local process ' +
      '([monitoring.md](monitoring.md#the-page))',
    since: '2.4.0',
    whenBad: 'default'
  }),
  developerMode: parameter({
    name: 'STREAM_MANAGER_DEVELOPER_MODE',
    type: BOOLEAN,
    whenUnset: false,
    recipeDefault: undefined,
    meaning:
      'For laboratories: `true` allows a `batchIntervalMillis` below 60000, and lets a server without a nucleus start with ' +
      '`STREAM_MANAGER_AUTHENTICATE_CLIENT=true`; it then admits every local process',
    since: '2.4.0',
    whenBad: 'default'
  }),
  logLevel: parameter<LogLevel>({
    name: 'LOG_LEVEL',
    type: oneOf(LOG_LEVELS),
    whenUnset: 'INFO',
    recipeDefault: 'INFO',
    meaning: 'Messages below this level are not logged ([messages.md](messages.md))',
    since: '2.0.7',
    whenBad: 'default'
  }),
  logFormat: parameter<LogFormat>({
    name: 'STREAM_MANAGER_LOG_FORMAT',
    type: oneOf(LOG_FORMATS),
    whenUnset: 'text',
    recipeDefault: 'text',
    isGrouped: true,
    meaning: 'How a line of the log is written: for people, or as one JSON object ([messages.md](messages.md))',
    since: '2.4.0',
    whenBad: 'default'
  }),
  settings: parameter({
    name: 'STREAM_MANAGER_SETTINGS',
    type: TEXT,
    whenUnset: '',
    recipeDefault: undefined,
    meaning:
      'In a deployment, an object whose keys are the names of settings that are not parameters by themselves. As a variable, ' +
      'the JSON text of such an object; a variable of the name itself wins',
    since: '2.4.0',
    whenBad: 'default'
  }),
  jvmArguments: parameter({
    name: 'JVM_ARGS',
    type: TEXT,
    whenUnset: '',
    recipeDefault: '',
    meaning:
      'Accepted for compatibility. `-Xmx<n>`, with the unit `k`, `m` or `g`, bounds the memory for requests and that for ' +
      'answers; `-Daws.s3UseUsEast1RegionalEndpoint=legacy` reaches S3 in us-east-1 by its global host; the rest is ignored',
    since: '2.0.7',
    whenBad: 'default'
  })
} as const

/** What the nucleus tells the processes that it starts (greengrass 3). */
export const NUCLEUS_VARIABLES = {
  token: 'SVCUID',
  socketPath: 'AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT'
} as const
