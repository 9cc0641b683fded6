import { markedPayload, readMark } from '../helpers/marked-payload.ts'
import { createStream, describeStream, STATUS, type ReadMessage } from '../helpers/stream-calls.ts'
import { OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/** One stream with a client that appends to it at a steady rate, and one that reads and checks what is in it. */
export interface TrafficPlan {
  readonly name: string
  readonly perSecond: number
  readonly definition: WireMap
}

export interface Traffic {
  readonly name: string
  readonly acknowledged: number
  /** For lack of space on the disk. */
  readonly refused: number
  readonly read: number
  /** Longest wait for an acknowledgement since the last call, milliseconds. */
  takeSlowestMs(): number
  /** Ends both clients once all is answered. */
  stop(): Promise<void>
}

const TICK_MS = 20
/** Beyond that the server is behind, and the load waits. */
const IN_FLIGHT_MAX = 1_000
const READ_COUNT_MAX = 500
const INCARNATION = 1

/**
 * Starts traffic. Messages are counted as they are sent, and numbered as they are accepted: both rise together, and the
 * numbers have no holes.
 * @param fail is told of whatever the server must not do
 */
export async function startTraffic(port: number, plan: TrafficPlan, fail: (problem: string) => void): Promise<Traffic> {
  const { name, perSecond } = plan
  const appender = await WireClient.connect({ port })
  const reader = await WireClient.connect({ port })
  await createStream(appender, name, plan.definition)
  let isRunning = true
  let sent = 0
  let acknowledged = 0
  let refused = 0
  let inFlight = 0
  let read = 0
  let slowestMs = 0

  const say = (problem: string): void => fail(`stream ${name}: ${problem}`)
  const append = async (): Promise<void> => {
    const sentMs = performance.now()
    const payload = markedPayload({ incarnation: INCARNATION, count: sent++ })
    const { map } = await appender.request(OP.appendMessage, { name, payload })
    slowestMs = Math.max(slowestMs, performance.now() - sentMs)
    if (map['status'] === STATUS.success) {
      if (map['sequenceNumber'] !== acknowledged) say(`number ${String(map['sequenceNumber'])} is not ${acknowledged}`)
      acknowledged += 1
    } else if (/no space left/.test(String(map['errorMessage']))) refused += 1
    else say(`an append was refused: ${String(map['errorMessage'])}`)
  }

  const check = (messages: readonly ReadMessage[], from: number, before: number): number => {
    let count = before
    for (const [index, { sequenceNumber, payload }] of messages.entries()) {
      const mark = readMark(payload)
      if (mark === undefined) say(`message ${sequenceNumber} is damaged`)
      else if (mark.count <= count) say(`message ${sequenceNumber} is out of order`)
      if (sequenceNumber !== messages[0]!.sequenceNumber + index) say(`number ${sequenceNumber} does not follow`)
      count = mark?.count ?? count
    }
    if (messages[0]!.sequenceNumber < from) say(`a read from ${from} returned ${messages[0]!.sequenceNumber}`)
    return count
  }

  const readOn = async (): Promise<void> => {
    let count = -1
    for (let next = 0; isRunning;) {
      const { map } = await reader.request(OP.readMessages, {
        streamName: name,
        readMessagesOptions: {
          desiredStartSequenceNumber: next,
          minMessageCount: Math.min(READ_COUNT_MAX, perSecond),
          maxMessageCount: READ_COUNT_MAX,
          readTimeoutMillis: 2_000
        }
      })
      if (map['status'] === STATUS.notEnoughMessages) {
        // Refused appends leave a stream as it is; what is in it is read without waiting for more.
        const { newestSequenceNumber } = (await describeStream(reader, name)).storageStatus
        if (newestSequenceNumber < next - 1) say(`its newest number fell to ${newestSequenceNumber}`)
        continue
      }
      if (map['status'] !== STATUS.success) {
        say(`a read failed: ${String(map['errorMessage'])}`)
        return
      }
      const messages = map['messages'] as readonly ReadMessage[]
      count = check(messages, next, count)
      read += messages.length
      next = messages.at(-1)!.sequenceNumber + 1
    }
  }

  let due = 0
  const timer = setInterval(() => {
    due = Math.min(due + (perSecond * TICK_MS) / 1_000, IN_FLIGHT_MAX)
    for (; due >= 1 && inFlight < IN_FLIGHT_MAX; due -= 1) {
      inFlight += 1
      void append()
        .catch((error: unknown) => say(String(error)))
        .finally(() => (inFlight -= 1))
    }
  }, TICK_MS)
  const reading = readOn().catch((error: unknown) => say(String(error)))

  return {
    name,
    get acknowledged() {
      return acknowledged
    },
    get refused() {
      return refused
    },
    get read() {
      return read
    },
    takeSlowestMs() {
      const slowest = slowestMs
      slowestMs = 0
      return slowest
    },
    async stop() {
      clearInterval(timer)
      isRunning = false
      while (inFlight > 0) await new Promise((resolve) => setTimeout(resolve, TICK_MS))
      await reading
      await Promise.all([appender.close(), reader.close()])
    }
  }
}
