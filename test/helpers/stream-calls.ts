import assert from 'node:assert/strict'
import { OP, type WireClient, type WireMap } from './wire-client.ts'

/** Status codes of protocol 7 that tests expect. */
export const STATUS = {
  success: 0,
  unknownFailure: 1,
  invalidRequest: 3,
  resourceNotFound: 5,
  responsePayloadTooLarge: 7,
  failedToConnect: 12,
  notEnoughMessages: 13,
  messageStoreReadError: 14,
  updateNotAllowed: 17
} as const

/** One message as a read returns it. */
export interface ReadMessage {
  readonly streamName: string
  readonly sequenceNumber: number
  readonly ingestTime: number
  readonly payload: Buffer
}

/** What describe says of a stream, as far as tests look at it. */
export interface Description {
  readonly definition: WireMap
  readonly storageStatus: {
    readonly oldestSequenceNumber: number
    readonly newestSequenceNumber: number
    readonly totalBytes: number
  }
  readonly exportStatuses: readonly {
    readonly exportConfigIdentifier: string
    readonly lastExportedSequenceNumber: number
    readonly exportedMessagesCount: number
  }[]
}

/** Sends a request and requires success. */
export async function succeed(client: WireClient, operation: number, map: WireMap): Promise<WireMap> {
  const answer = await client.request(operation, map)
  assert.equal(answer.map['status'], STATUS.success, String(answer.map['errorMessage']))
  return answer.map
}

/** Sends a request and requires this refusal; `text` is the whole message, or a pattern of it. */
export async function refuse(
  client: WireClient,
  operation: number,
  map: WireMap,
  status: number,
  text: string | RegExp
): Promise<void> {
  const answer = await client.request(operation, map)
  assert.equal(answer.map['status'], status, String(answer.map['errorMessage']))
  if (typeof text === 'string') assert.equal(answer.map['errorMessage'], text)
  else assert.match(String(answer.map['errorMessage']), text)
}

/** A complete request of CreateMessageStream or UpdateMessageStream. */
export function defining(name: string, fields: WireMap = {}): WireMap {
  return { definition: { name, strategyOnFull: 1, ...fields } }
}

export async function createStream(client: WireClient, name: string, fields: WireMap = {}): Promise<void> {
  await succeed(client, OP.createMessageStream, defining(name, fields))
}

/** Appends and returns the sequence number. */
export async function append(client: WireClient, name: string, payload: string | Uint8Array): Promise<number> {
  const { sequenceNumber } = await succeed(client, OP.appendMessage, { name, payload: Buffer.from(payload) })
  return sequenceNumber as number
}

/** Appends all payloads, pipelined, and returns their numbers. */
export function appendAll(client: WireClient, name: string, payloads: readonly string[]): Promise<number[]> {
  return Promise.all(payloads.map((payload) => append(client, name, payload)))
}

export async function read(client: WireClient, name: string, options?: WireMap): Promise<readonly ReadMessage[]> {
  const { messages } = await succeed(client, OP.readMessages, {
    streamName: name,
    ...(options === undefined ? {} : { readMessagesOptions: options })
  })
  return messages as ReadMessage[]
}

const PAGE_MESSAGES = 1_000

/** Everything that can be read from `from` on: ends where a read finds no more, or nothing readable. */
export async function readAll(client: WireClient, name: string, from = 0): Promise<ReadMessage[]> {
  const found: ReadMessage[] = []
  for (let start = from; ; start = found.at(-1)!.sequenceNumber + 1) {
    const { map } = await client.request(OP.readMessages, {
      streamName: name,
      readMessagesOptions: { desiredStartSequenceNumber: start, maxMessageCount: PAGE_MESSAGES }
    })
    if (map['status'] === STATUS.notEnoughMessages || map['status'] === STATUS.messageStoreReadError) return found
    assert.equal(map['status'], STATUS.success, String(map['errorMessage']))
    const messages = map['messages'] as readonly ReadMessage[]
    assert.ok(messages.length > 0)
    found.push(...messages)
  }
}

/** `[number, text]` of each message. */
export function numbered(messages: readonly ReadMessage[]): [number, string][] {
  return messages.map(({ sequenceNumber, payload }) => [sequenceNumber, payload.toString()])
}

export async function listStreams(client: WireClient): Promise<readonly string[]> {
  return (await succeed(client, OP.listStreams, {}))['streams'] as string[]
}

export async function describeStream(client: WireClient, name: string): Promise<Description> {
  const { messageStreamInfo } = await succeed(client, OP.describeMessageStream, { name })
  return messageStreamInfo as Description
}

export async function statusOfStorage(client: WireClient, name: string): Promise<Description['storageStatus']> {
  return (await describeStream(client, name)).storageStatus
}
