import { createRequire } from 'node:module'

/** The parts of the official JavaScript SDK that the tests use; it ships without types. */
export interface SdkClient {
  createMessageStream(definition: unknown): Promise<void>
  updateMessageStream(definition: unknown): Promise<void>
  deleteMessageStream(name: string): Promise<void>
  appendMessage(name: string, payload: Buffer): Promise<number>
  readMessages(name: string, options?: unknown): Promise<readonly SdkMessage[]>
  listStreams(): Promise<readonly string[]>
  describeMessageStream(name: string): Promise<SdkStreamInfo>
  close(): void
}

export interface SdkMessage {
  readonly streamName: string
  readonly sequenceNumber: number
  readonly ingestTime: number
  readonly payload: Buffer
}

export interface SdkStreamInfo {
  readonly definition: SdkObject & {
    readonly maxSize: number
    readonly streamSegmentSize: number
    readonly name: string
  }
  readonly storageStatus: {
    readonly oldestSequenceNumber: number
    readonly newestSequenceNumber: number
    readonly totalBytes: number
  }
  readonly exportStatuses: readonly {
    readonly exportConfigIdentifier: string
    readonly lastExportedSequenceNumber: number
    readonly lastExportTime: number | null
    readonly errorMessage: string | null
    readonly exportedBytesFromStream: number
    readonly exportedMessagesCount: number
  }[]
}

/** An object of one of the SDK's data classes. */
export type SdkObject = object

interface SdkModule {
  readonly StreamManagerClient: new (options: unknown) => SdkClient
}

type SdkEnum = Readonly<Record<string, unknown>>

const require = createRequire(import.meta.url)
const sdk = require('aws-greengrass-core-sdk/stream-manager') as SdkModule
const data = require('aws-greengrass-core-sdk/stream-manager/data') as Readonly<Record<string, unknown>>

/** Sets fields through the SDK's builder methods: `{ Name: 'x' }` calls `withName('x')`. */
export function withFields<Target extends SdkObject>(
  target: Target,
  fields: Readonly<Record<string, unknown>>
): Target {
  const builder = target as Readonly<Record<string, (value: unknown) => unknown>>
  for (const [name, value] of Object.entries(fields)) builder[`with${name}`]?.(value)
  return target
}

/** A new object of one of the SDK's data classes. */
export function sdkObject(className: string, fields: Readonly<Record<string, unknown>> = {}): SdkObject {
  return withFields(new (data[className] as new () => SdkObject)(), fields)
}

/** A constant of one of the SDK's enumerations. */
export function sdkEnum(name: string, constant: string): unknown {
  return (data[name] as SdkEnum)[constant]
}

/** Connects the SDK's client, quietly. Rejects when the server refuses. */
export function connectSdk(port: number): Promise<SdkClient> {
  return new Promise((resolve, reject) => {
    const client = new sdk.StreamManagerClient({
      port,
      onConnectCb: () => resolve(client),
      onErrorCb: (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
      logger: { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined }
    })
  })
}
