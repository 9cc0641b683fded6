import { INT64_MAX, NAME_RULES, type Fields } from '../fields.ts'
import { parseRequest, type ParsedRequest } from './request.ts'

/** ReadMessages, operation 5, with the defaults of behaviour 3.4 filled in. */
export interface ReadMessagesRequest {
  readonly streamName: string
  /** First wanted sequence number; what lies beyond 2^53 - 1 is that number, which no stream reaches. */
  readonly from: number
  /** 1 or more, at most `maxCount`. */
  readonly minCount: number
  readonly maxCount: number
  /** How long to wait for `minCount` messages; 0: not at all. */
  readonly timeoutMs: number
}

type ReadOptions = Omit<ReadMessagesRequest, 'streamName'>

const COUNT_MAX = 2 ** 31 - 1
const TIMEOUT_MS_MAX = 9_223_372_036_854
const DEFAULT_OPTIONS: ReadOptions = { from: 0, minCount: 1, maxCount: 1, timeoutMs: 0 }

export function parseReadMessages(payload: Buffer): ParsedRequest<ReadMessagesRequest> {
  return parseRequest(payload, readReadMessages)
}

function readReadMessages(fields: Fields): ReadMessagesRequest {
  const streamName = fields.requiredText('streamName', NAME_RULES)
  const options = fields.object('readMessagesOptions', readOptions) ?? DEFAULT_OPTIONS
  if (fields.problems.length === 0 && options.minCount > options.maxCount) {
    fields.problems.push(`minMessageCount ${options.minCount} is larger than maxMessageCount ${options.maxCount}`)
  }
  return { streamName, ...options }
}

function readOptions(fields: Fields): ReadOptions {
  const from = fields.bigInteger('desiredStartSequenceNumber', 0n, INT64_MAX) ?? 0n
  const minCount = fields.integer('minMessageCount', 1, COUNT_MAX) ?? DEFAULT_OPTIONS.minCount
  // Official samples ask for a minimum alone and expect that many (behaviour 3.4).
  const maxCount = fields.integer('maxMessageCount', 1, COUNT_MAX) ?? Math.max(1, minCount)
  const timeoutMs = fields.integer('readTimeoutMillis', 0, TIMEOUT_MS_MAX) ?? DEFAULT_OPTIONS.timeoutMs
  return { from: Math.min(Number(from), Number.MAX_SAFE_INTEGER), minCount, maxCount, timeoutMs }
}
