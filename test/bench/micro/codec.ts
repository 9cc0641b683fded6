import { randomUUID } from 'node:crypto'
import {
  emptyAppendParts,
  encodeAppendResponse,
  FrameDecoder,
  type FrameEvents,
  parseAppendMessage,
  readUsualAppend
} from '../../../component/protocol/index.ts'
import { encodeReadResponse } from '../../helpers/read-response.ts'
import { encodeFrame, OP } from '../../helpers/wire-client.ts'
import { makePayload } from '../job.ts'
import type { MicroBenchmark } from './micro.ts'

/** Frames in one chunk, as a busy client sends them. */
const FRAMES_PER_CHUNK = 64
const READ_MESSAGES = 100
const FRAME_HEADER_BYTES = 5
const NAME = 'bench'

const appendFrame = (): Buffer =>
  encodeFrame(OP.appendMessage, { requestId: randomUUID(), name: NAME, payload: makePayload() })

const nothing = (): void => undefined

/** Frames out of a chunk, and the usual append out of each. */
function decodeAppends(): (iterations: number) => void {
  const chunk = Buffer.concat(Array.from({ length: FRAMES_PER_CHUNK }, appendFrame))
  const parts = emptyAppendParts()
  let decoded = 0
  const events: FrameEvents = {
    connectVersion: nothing,
    refused: nothing,
    violation: nothing,
    frame(_operation, bytes, start, end) {
      if (readUsualAppend(bytes, start, end, parts)) decoded += 1
    }
  }
  const decoder = new FrameDecoder(events, { reserve: () => true, release: nothing }, chunk.length)
  decoder.push(Buffer.of(1))
  return (iterations) => {
    const before = decoded
    const chunks = Math.ceil(iterations / FRAMES_PER_CHUNK)
    for (let index = 0; index < chunks; index += 1) decoder.push(chunk)
    if (decoded - before !== chunks * FRAMES_PER_CHUNK) throw new Error('an append was not decoded')
  }
}

function parseAppends(): (iterations: number) => void {
  const payload = appendFrame().subarray(FRAME_HEADER_BYTES)
  return (iterations) => {
    for (let index = 0; index < iterations; index += 1) {
      if (parseAppendMessage(payload).kind !== 'parsed') throw new Error('an append was not parsed')
    }
  }
}

function encodeAnswers(): (iterations: number) => void {
  const requestId = randomUUID()
  return (iterations) => {
    for (let index = 0; index < iterations; index += 1) {
      if (encodeAppendResponse(requestId, index).length === 0) throw new Error('an answer was not encoded')
    }
  }
}

function encodeReads(): (iterations: number) => void {
  const requestId = randomUUID()
  const payload = makePayload()
  const messages = Array.from({ length: READ_MESSAGES }, (_, sequenceNumber) => ({
    sequenceNumber,
    ingestTimeMs: 1_700_000_000_000,
    payload
  }))
  return (iterations) => {
    for (let index = 0; index < iterations; index += READ_MESSAGES) {
      if (encodeReadResponse(requestId, NAME, messages).length < READ_MESSAGES * payload.length) {
        throw new Error('a read was not encoded')
      }
    }
  }
}

const codec = (name: string, prepare: () => (iterations: number) => void): MicroBenchmark => ({
  name,
  prepare: () => Promise.resolve({ run: prepare(), close: nothing })
})

export const CODEC_BENCHMARKS: readonly MicroBenchmark[] = [
  codec('decode an append of 1 KiB, short way, 64 in a chunk', decodeAppends),
  codec('decode an append of 1 KiB, general way', parseAppends),
  codec('encode the answer to an append', encodeAnswers),
  codec('encode a message of 1 KiB in a read of 100', encodeReads)
]
