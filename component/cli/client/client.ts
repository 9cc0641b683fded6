import { Fault } from '../../base/fault.ts'
import { READ_REPLY_COUNT_MAX } from '../../base/limits.ts'
import type { StoredMessage } from '../../model/message.ts'
import type { StreamDefinition } from '../../model/stream-definition.ts'
import type { ExportStatus, StorageStatus, StreamInfo } from '../../model/stream-info.ts'
import type { CborMap, CborValue } from '../../protocol/cbor-decoder.ts'
import { wireInteger } from '../../protocol/cbor-encoder.ts'
import { definitionToWire } from '../../protocol/definition-codec.ts'
import { readDefinition, type DefinitionRules } from '../../protocol/definition-fields.ts'
import { Fields, INT64_MAX } from '../../protocol/fields.ts'
import { OPERATION } from '../../protocol/operations.ts'
import { RequestRefused, type Connection } from './connection.ts'

export interface ReadOptions {
  readonly from: number
  readonly maxCount: number
  /** How long to wait for the first message; 0: not at all. */
  readonly waitMs?: number
}

/** The operations of the protocol, as far as the commands need them. All throw RequestRefused and ConnectionLost. */
export interface StreamClient {
  readonly serverVersion: string
  list(): Promise<readonly string[]>
  describe(name: string): Promise<StreamInfo>
  create(definition: StreamDefinition): Promise<void>
  update(definition: StreamDefinition): Promise<void>
  remove(name: string): Promise<void>
  /** @returns the sequence number */
  append(name: string, payload: Buffer): Promise<number>
  /** From `from` on, or from the next message that there is; empty when there is none. */
  read(name: string, options: ReadOptions): Promise<readonly StoredMessage[]>
  close(): void
}

/** What is stored may have intervals that only a laboratory allows: the server decides. */
export const LENIENT_RULES: DefinitionRules = { batchIntervalMinMs: 1 }

/** An answer that does not fit the protocol. */
function strangeAnswer(problems: readonly string[]): Fault {
  return new Fault(`the answer of the server is not understood: ${problems.join(' ')}`)
}

/** Reads fields of an answer. @throws Fault for what does not fit */
function readAnswer<Value>(map: CborMap, read: (fields: Fields) => Value): Value {
  const fields = new Fields(map, '')
  const value = read(fields)
  if (fields.problems.length > 0) throw strangeAnswer(fields.problems)
  return value
}

function count(fields: Fields, key: string): number {
  return fields.integer(key, 0, Number.MAX_SAFE_INTEGER) ?? 0
}

function readStorage(fields: Fields): StorageStatus {
  return {
    oldestSequenceNumber: count(fields, 'oldestSequenceNumber'),
    newestSequenceNumber: fields.integer('newestSequenceNumber', -1, Number.MAX_SAFE_INTEGER) ?? -1,
    totalBytes: count(fields, 'totalBytes')
  }
}

function readExportStatus(fields: Fields): ExportStatus {
  const lastExportTimeMs = fields.integer('lastExportTime', 0, Number.MAX_SAFE_INTEGER)
  const errorMessage = fields.lenientText('errorMessage')
  return {
    exportConfigIdentifier: fields.requiredText('exportConfigIdentifier', {}),
    lastExportedSequenceNumber: fields.bigInteger('lastExportedSequenceNumber', -1n, INT64_MAX) ?? -1n,
    exportedBytesFromStream: count(fields, 'exportedBytesFromStream'),
    exportedMessagesCount: count(fields, 'exportedMessagesCount'),
    ...(lastExportTimeMs === undefined ? {} : { lastExportTimeMs }),
    ...(errorMessage === undefined || errorMessage === '' ? {} : { errorMessage })
  }
}

const EXPORT_STATUSES_MAX = 10_000

function readInfo(fields: Fields): StreamInfo {
  const definition = fields.requiredObject('definition', (nested) => readDefinition(nested, LENIENT_RULES))
  const storageStatus = fields.requiredObject('storageStatus', readStorage)
  const exportStatuses = fields.list('exportStatuses', EXPORT_STATUSES_MAX, readExportStatus)
  if (definition === undefined || storageStatus === undefined) throw strangeAnswer(fields.problems)
  return { definition, storageStatus, exportStatuses }
}

function readMessage(value: CborValue): StoredMessage {
  if (!(value instanceof Map)) throw strangeAnswer(['a message is not a map'])
  const [payload, sequenceNumber, ingestTime] = ['payload', 'sequenceNumber', 'ingestTime'].map((key): CborValue =>
    (value as CborMap).get(key)
  )
  if (!Buffer.isBuffer(payload) || typeof sequenceNumber !== 'number') throw strangeAnswer(['a message is incomplete'])
  return { sequenceNumber, ingestTimeMs: typeof ingestTime === 'number' ? ingestTime : 0, payload }
}

/** The operations over a connection. */
export function createClient(connection: Connection): StreamClient {
  const define = async (operation: number, definition: StreamDefinition): Promise<void> => {
    await connection.request(operation, { definition: definitionToWire(definition) })
  }
  return {
    serverVersion: connection.serverVersion,
    async list() {
      const answer = await connection.request(OPERATION.listStreams, {})
      return readAnswer(answer, (fields) => fields.textList('streams', READ_REPLY_COUNT_MAX))
    },
    async describe(name) {
      const answer = await connection.request(OPERATION.describeMessageStream, { name })
      const info = readAnswer(answer, (fields) => fields.requiredObject('messageStreamInfo', readInfo))
      if (info === undefined) throw strangeAnswer(['messageStreamInfo is required.'])
      return info
    },
    create: (definition) => define(OPERATION.createMessageStream, definition),
    update: (definition) => define(OPERATION.updateMessageStream, definition),
    async remove(name) {
      await connection.request(OPERATION.deleteMessageStream, { name })
    },
    async append(name, payload) {
      const answer = await connection.request(OPERATION.appendMessage, { name, payload })
      return readAnswer(answer, (fields) => fields.integer('sequenceNumber', 0, Number.MAX_SAFE_INTEGER)) ?? 0
    },
    async read(name, { from, maxCount, waitMs = 0 }) {
      const readMessagesOptions = {
        desiredStartSequenceNumber: wireInteger(from),
        minMessageCount: 1,
        maxMessageCount: maxCount,
        readTimeoutMillis: waitMs
      }
      let answer: CborMap
      try {
        answer = await connection.request(OPERATION.readMessages, { streamName: name, readMessagesOptions }, waitMs)
      } catch (error) {
        if (error instanceof RequestRefused && error.kind === 'notEnoughMessages') return []
        throw error
      }
      const messages = answer.get('messages')
      return Array.isArray(messages) ? (messages as readonly CborValue[]).map(readMessage) : []
    },
    close: () => connection.close()
  }
}
