import { PutRecordsCommand, type KinesisClient } from '@aws-sdk/client-kinesis'
import type { AwsRequestOptions } from '../../aws/index.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { SendOutcome, Sink } from '../../export/sink.ts'
import type { KinesisExport } from '../../model/export-definition.ts'
import type { StoredMessage } from '../../model/message.ts'
import { reason } from '../failure-text.ts'
import { BEFORE_SIGNING, rawBody } from '../raw-body.ts'
import { askedWaitMs } from '../retry-after.ts'
import { kinesisFailure } from './errors.ts'
import { kinesisRecordBytes, REQUEST_BYTES_FALLBACK, REQUEST_BYTES_MAX } from './limits.ts'
import { createPacing } from './pacing.ts'
import { putRecordsBody, readResults, splitByBytes } from './request.ts'
import type { ShardDirectory } from './shard-directory.ts'
import type { ShardPacer } from './shard-pacer.ts'
import type { OpenShard } from './shards.ts'

export interface KinesisSinkContext {
  readonly client: KinesisClient
  readonly clock: Clock
  readonly random: Random
  readonly shards: ShardDirectory
  /** Undefined when the deployment leaves it at its default. */
  readonly interCallDelayMs: number | undefined
}

/** Shards get room record by record; a short rest makes requests of many instead. */
const PACED_PAUSE_MS_MIN = 100

/** How one PutRecords ended. */
type Put =
  | {
      readonly kind: 'answered'
      readonly failed: readonly StoredMessage[]
      readonly reason: string
      readonly throttled: readonly StoredMessage[]
    }
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly throttled: readonly StoredMessage[]
      /** The pause that the answer asks for. */
      readonly askedMs: number
    }
  | { readonly kind: 'tooLarge'; readonly reason: string }

/** The shards that the messages of a batch were given; without any the partition keys choose. */
type ShardOf = ReadonlyMap<StoredMessage, OpenShard>

const NO_SHARDS: ShardOf = new Map()

/**
 * Puts batches into a Kinesis data stream (behaviour 8). Where the shards are known, as much of a batch is sent as they
 * have room for, and the rest later; otherwise there are pauses between requests. A destination that refuses a request for its size gets smaller
 * ones from then on; a batch then takes several requests.
 */
export function createKinesisSink(context: KinesisSinkContext, definition: KinesisExport): Sink {
  const { client, clock, random, shards } = context
  const { kinesisStreamName } = definition
  const pacing = createPacing(context.interCallDelayMs)
  let requestBytesMax = REQUEST_BYTES_MAX

  const put = async (
    messages: readonly StoredMessage[],
    shardOf: ShardOf,
    request: AwsRequestOptions
  ): Promise<Put> => {
    try {
      const body = putRecordsBody(kinesisStreamName, messages, (message) => shardOf.get(message), random)
      const command = new PutRecordsCommand({ StreamName: kinesisStreamName, Records: [] })
      command.middlewareStack.add(rawBody(body), BEFORE_SIGNING)
      const results = readResults((await client.send(command, request)).Records, messages.length)
      if (results === undefined) {
        const text = reason('InvalidResponse', 'the list of results does not fit the request')
        return { kind: 'failed', reason: text, throttled: [], askedMs: 0 }
      }
      const { failed, firstError, throttled } = results
      return {
        kind: 'answered',
        failed: pick(messages, failed),
        reason: firstError === undefined ? '' : reason(firstError.code, firstError.message),
        throttled: pick(messages, throttled)
      }
    } catch (error) {
      const failure = kinesisFailure(error, kinesisStreamName)
      if (failure.kind === 'tooLarge') return { kind: 'tooLarge', reason: failure.reason }
      const throttled = failure.kind === 'throttled' ? messages : []
      return { kind: 'failed', reason: failure.reason, throttled, askedMs: askedWaitMs(error, clock.wallMs()) }
    }
  }

  /** True when smaller requests may help, which are then made from now on. */
  const fallBack = (messages: readonly StoredMessage[]): boolean => {
    const bytes = messages.reduce((sum, message) => sum + kinesisRecordBytes(message.payload.length), 0)
    if (messages.length < 2 || bytes <= REQUEST_BYTES_FALLBACK || requestBytesMax === REQUEST_BYTES_FALLBACK)
      return false
    requestBytesMax = REQUEST_BYTES_FALLBACK
    return true
  }

  /** Rests the shards of throttled messages, or the whole export where they are not known. @returns the pause */
  const pauseAfter = (throttled: readonly StoredMessage[], isComplete: boolean, shardOf: ShardOf): number => {
    if (throttled.length > 0) shards.suspect(kinesisStreamName)
    if (shardOf !== NO_SHARDS) return 0
    if (throttled.length > 0) return pacing.throttled()
    return isComplete ? pacing.succeeded() : pacing.current()
  }

  /** Sends messages in as many requests as it takes, up to the first that fails as a whole. */
  const putAll = async (
    messages: readonly StoredMessage[],
    shardOf: ShardOf,
    pacer: ShardPacer | undefined,
    request: AwsRequestOptions
  ): Promise<SendOutcome> => {
    const failed = new Set<StoredMessage>()
    const throttled: StoredMessage[] = []
    let firstReason = ''
    let askedMs = 0
    const outcome = (unsent: readonly StoredMessage[]): SendOutcome => {
      for (const message of unsent) failed.add(message)
      for (const message of throttled) {
        const shard = shardOf.get(message)
        if (shard !== undefined) pacer?.throttled(shard)
      }
      const waitMs = Math.max(pauseAfter(throttled, failed.size === 0, shardOf), askedMs)
      const indices = messages.flatMap((message, index) => (failed.has(message) ? [index] : []))
      if (indices.length === 0) return { kind: 'delivered', waitMs }
      if (indices.length === messages.length) return { kind: 'retryLater', reason: firstReason, waitMs }
      return { kind: 'partial', failed: indices, reason: firstReason, waitMs }
    }
    let rest = messages
    for (const piece of splitByBytes(messages, requestBytesMax)) {
      const result = await put(piece, shardOf, request)
      if (result.kind === 'tooLarge') {
        if (rest === messages && fallBack(piece)) return putAll(messages, shardOf, pacer, request)
        // Only a request that stands for all messages is rejected; otherwise the engine sends what is left again.
        if (piece.length === messages.length) return { kind: 'rejected', reason: result.reason }
      }
      if (firstReason === '') firstReason = result.reason
      if (result.kind !== 'tooLarge') throttled.push(...result.throttled)
      if (result.kind === 'failed') askedMs = result.askedMs
      if (result.kind !== 'answered') return outcome(rest)
      for (const message of result.failed) failed.add(message)
      rest = rest.slice(piece.length)
    }
    return outcome([])
  }

  /** Sends what the shards have room for. */
  const putPlaced = async (
    messages: readonly StoredMessage[],
    pacer: ShardPacer,
    request: AwsRequestOptions
  ): Promise<SendOutcome> => {
    const { shards: given, waitMs: roomMs } = pacer.place(messages)
    const waitMs = roomMs === 0 ? 0 : Math.max(roomMs, PACED_PAUSE_MS_MIN)
    const placed = messages.slice(0, given.length)
    const unsent = indicesFrom(placed.length, messages.length)
    if (placed.length === 0) return { kind: 'partial', failed: [], unsent, reason: '', waitMs }
    const shardOf = new Map<StoredMessage, OpenShard>()
    for (const [index, shard] of given.entries()) {
      const message = placed[index]
      if (message !== undefined) shardOf.set(message, shard)
    }
    return withUnsent(await putAll(placed, shardOf, pacer, request), placed.length, unsent, waitMs)
  }

  return {
    async send({ messages }, signal, onProgress) {
      const [first, second] = messages
      if (first !== undefined && second === undefined && kinesisRecordBytes(first.payload.length) > REQUEST_BYTES_MAX) {
        return { kind: 'rejected', reason: reason('RecordTooLarge', `a record of ${first.payload.length} bytes`) }
      }
      const request = { abortSignal: signal, onProgress }
      const pacer = await shards.pacerOf(kinesisStreamName, signal)
      const outcome = await (pacer === undefined
        ? putAll(messages, NO_SHARDS, undefined, request)
        : putPlaced(messages, pacer, request))
      const notice = shards.noticeOf(kinesisStreamName)
      return notice === undefined ? outcome : { ...outcome, notice }
    },
    // The client is shared by all Kinesis exports.
    close: () => undefined
  }
}

/**
 * The outcome for a whole batch of which only a part was sent. A rejection is one of the batch, too: the engine halves it
 * until all of it is sent.
 */
function withUnsent(outcome: SendOutcome, sentCount: number, unsent: readonly number[], waitMs: number): SendOutcome {
  if (unsent.length === 0) return outcome
  switch (outcome.kind) {
    case 'delivered':
      return { kind: 'partial', failed: [], unsent, reason: '', waitMs }
    case 'partial':
      return { ...outcome, unsent, waitMs: Math.max(waitMs, outcome.waitMs ?? 0) }
    case 'retryLater':
      return {
        kind: 'partial',
        failed: indicesFrom(0, sentCount),
        unsent,
        reason: outcome.reason,
        waitMs: Math.max(waitMs, outcome.waitMs ?? 0)
      }
    case 'rejected':
      return outcome
  }
}

const indicesFrom = (start: number, end: number): number[] =>
  Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index)

const pick = (messages: readonly StoredMessage[], indices: readonly number[]): StoredMessage[] =>
  indices.flatMap((index) => messages[index] ?? [])
