import type { LogFields, LogFormat, LogLevel } from '../base/log.ts'
import type { AwsVariables } from './aws-environment.ts'

/** Every setting of the server, parsed. The names in brackets are the component's parameters (behaviour 1.3). */
export interface Config {
  /** Absolute, normalised path of the folder that holds all data [STREAM_MANAGER_STORE_ROOT_DIR]. */
  readonly storeRoot: string
  /** Space that streams leave free; absent is the default share of the file system [STREAM_MANAGER_STORE_RESERVE_BYTES]. */
  readonly storeReserveBytes: number | undefined
  /** TCP port, 0 to 65535; 0 lets the system choose one [STREAM_MANAGER_SERVER_PORT]. */
  readonly port: number
  /** Whether clients must show a token that the nucleus accepts [STREAM_MANAGER_AUTHENTICATE_CLIENT]. */
  readonly authenticateClients: boolean
  readonly logLevel: LogLevel
  /** [STREAM_MANAGER_LOG_FORMAT] */
  readonly logFormat: LogFormat
  /** Upper target for caches and buffers, in bytes; absent when nobody asked for one [JVM_ARGS -Xmx]. */
  readonly memoryTargetBytes: number | undefined
  /** Allows what only tests and laboratories need, e.g. batch intervals below a minute [STREAM_MANAGER_DEVELOPER_MODE]. */
  readonly developerMode: boolean
  /** TCP port for metrics, health and status, 1 to 65535; absent is none [STREAM_MANAGER_MONITOR_PORT]. */
  readonly monitorPort: number | undefined
  /** Whether whoever reaches that port is shown messages, too [STREAM_MANAGER_MONITOR_MESSAGES]. */
  readonly monitorShowsMessages: boolean
  readonly space: SpaceConfig
  readonly declared: DeclaredConfig
  readonly exporter: ExporterConfig
  /** Absent when the process was not started by a nucleus (behaviour 2, rule 5). */
  readonly nucleus: NucleusAccess | undefined
  readonly aws: AwsVariables
}

/** How stored messages make room, beyond what the original does. */
export interface SpaceConfig {
  /** Exported segments are dropped early [STREAM_MANAGER_RECLAIM_EXPORTED_SEGMENTS]. */
  readonly reclaimsExported: boolean
  /** Messages that are not exported yet are not overwritten [STREAM_MANAGER_PROTECT_UNEXPORTED]. */
  readonly protectsUnexported: boolean
  /** Bound on the records of all file streams; absent without one [STREAM_MANAGER_STORE_BUDGET_BYTES]. */
  readonly budgetBytes: number | undefined
}

/** Where streams are declared. */
export interface DeclaredConfig {
  /** JSON or YAML; empty without declarations [STREAM_MANAGER_STREAMS]. */
  readonly text: string
  /** Absolute path of a file with the same [STREAM_MANAGER_STREAMS_FILE]. */
  readonly file: string | undefined
}

export interface ExporterConfig {
  /** Average over all exports, bits per second; absent is unlimited [STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH, kbit/s]. */
  readonly bandwidthBitsPerSecond: number | undefined
  /** Requests in flight over all exports [STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE]. */
  readonly concurrencyMax: number
  /** Size of an upload part [STREAM_MANAGER_EXPORTER_S3_DESTINATION_MULTIPART_UPLOAD_MIN_PART_SIZE_BYTES]. */
  readonly s3PartBytesMin: number
  /** Absolute paths of folders; when there are any, S3 tasks upload only files below them [STREAM_MANAGER_S3_INPUT_ROOTS]. */
  readonly s3InputRoots: readonly string[]
  /** S3 in us-east-1: the regional host, or the global one [JVM_ARGS -Daws.s3UseUsEast1RegionalEndpoint]. */
  readonly s3UsEast1Endpoint: 'regional' | 'legacy'
  /**
   * Pause between the Kinesis requests of one export while its shards are unknown, milliseconds; 0 is none; absent when
   * it is left at its default, also when the recipe says so in so many words [STREAM_MANAGER_EXPORTER_KINESIS_INTER_CALL_DELAY_MS].
   */
  readonly kinesisInterCallDelayMs: number | undefined
  /** Stream that gets what exports skip; absent is none [STREAM_MANAGER_EXPORTER_DEAD_LETTER_STREAM]. */
  readonly deadLetterStream: string | undefined
}

/** How to reach the nucleus (greengrass 3 and 5). */
export interface NucleusAccess {
  /** Path of the IPC socket: absolute, unless only a relative one is short enough for a socket (greengrass 3). */
  readonly socketPath: string
  /** The component's own token: a secret, never to be logged. */
  readonly token: string
}

/** The effective settings for the log (behaviour 12.2), without any secret. */
export function describeConfig(config: Config): LogFields {
  return {
    storeRoot: config.storeRoot,
    storeReserveBytes: config.storeReserveBytes,
    port: config.port,
    authenticateClients: config.authenticateClients,
    logLevel: config.logLevel,
    logFormat: config.logFormat,
    developerMode: config.developerMode,
    monitorPort: config.monitorPort,
    monitorShowsMessages: config.monitorShowsMessages,
    memoryTargetBytes: config.memoryTargetBytes,
    reclaimsExported: config.space.reclaimsExported,
    protectsUnexported: config.space.protectsUnexported,
    budgetBytes: config.space.budgetBytes,
    streamsFile: config.declared.file,
    bandwidthBitsPerSecond: config.exporter.bandwidthBitsPerSecond,
    concurrencyMax: config.exporter.concurrencyMax,
    s3PartBytesMin: config.exporter.s3PartBytesMin,
    s3InputRoots: config.exporter.s3InputRoots.join(':') || undefined,
    kinesisInterCallDelayMs: config.exporter.kinesisInterCallDelayMs,
    deadLetterStream: config.exporter.deadLetterStream,
    nucleus: config.nucleus !== undefined,
    region: config.aws.AWS_REGION ?? config.aws.AWS_DEFAULT_REGION
  }
}
