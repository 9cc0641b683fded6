import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeFrame, FrameDecoder } from '../../../component/protocol/index.ts'
import { limitedBudget, recordFrames, type FrameEvent } from '../../helpers/frame-recorder.ts'

/** Payloads are parts of it, so that making them costs nothing. */
const PATTERN = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251))

const frame = fc.record({
  operation: fc.integer({ min: -128, max: 127 }),
  payload: fc
    .oneof(fc.nat(40), fc.nat(1_000), fc.constantFrom(65_535, 65_536, 131_073, 200_000))
    .map((length) => PATTERN.subarray(length % 100, (length % 100) + length))
})

/** Cuts bytes into chunks of their own memory, as sockets deliver them; the sizes are used in turn, but for very many chunks. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  const leastBytes = Math.ceil(bytes.length / 5_000)
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const end = Math.min(bytes.length, start + Math.max(leastBytes, sizes[turn % sizes.length]!))
    chunks.push(Buffer.from(bytes.subarray(start, end)))
    start = end
  }
  return chunks
}

describe('a frame decoder', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 100_000 })), {
    minLength: 1
  })

  it('hands out the same frames however the bytes are cut, with or without pauses', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), sizes, fc.boolean(), (frames, chunkSizes, pauses) => {
        const budget = limitedBudget(Infinity)
        const recorder = recordFrames((event) => {
          if (event.kind === 'frame') budget.release(event.reservedBytes)
          if (pauses) decoder.pause()
        })
        const decoder: FrameDecoder = new FrameDecoder(recorder, budget, 2 ** 30)
        const encoded = frames.map(({ operation, payload }) => encodeFrame(operation, payload))
        for (const chunk of cut(Buffer.concat([Buffer.from([1]), ...encoded]), chunkSizes)) decoder.push(chunk)
        for (let turn = 0; turn <= frames.length; turn++) decoder.resume()
        const [version, ...rest] = recorder.events
        assert.deepEqual(version, { kind: 'version', version: 1 })
        const seen = rest.map((event) =>
          event.kind === 'frame' ? [event.operation, event.payload.toString('hex')] : event
        )
        assert.deepEqual(
          seen,
          frames.map(({ operation, payload }) => [operation, payload.toString('hex')])
        )
        assert.equal(budget.takenBytes, 0)
        assert.equal(decoder.receivedBytes, undefined)
      }),
      { numRuns: 60 }
    )
  })

  it('never takes more memory than there is, and gives all of it back', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), sizes, fc.nat(150_000), (frames, chunkSizes, budgetBytes) => {
        const budget = limitedBudget(budgetBytes)
        const recorder = recordFrames((event: FrameEvent) => {
          if (event.kind === 'frame') budget.release(event.reservedBytes)
        })
        const decoder = new FrameDecoder(recorder, budget, 2 ** 30)
        const encoded = frames.map(({ operation, payload }) => encodeFrame(operation, payload))
        for (const chunk of cut(Buffer.concat([Buffer.from([1]), ...encoded]), chunkSizes)) {
          decoder.push(chunk)
          assert.ok(budget.takenBytes <= budgetBytes)
        }
        const expected = frames.map(({ operation, payload }, index) => {
          const event = recorder.events[index + 1]
          return event?.kind === 'refused'
            ? { kind: 'refused', operation, payloadStart: payload.subarray(0, 65_536).toString('hex') }
            : { kind: 'frame', operation, payload: payload.toString('hex') }
        })
        const seen = recorder.events.slice(1).map((event) => {
          if (event.kind === 'refused') return { ...event, payloadStart: event.payloadStart.toString('hex') }
          if (event.kind !== 'frame') return event
          return { kind: 'frame', operation: event.operation, payload: event.payload.toString('hex') }
        })
        assert.deepEqual(seen, expected)
        assert.equal(budget.takenBytes, 0)
      }),
      { numRuns: 60 }
    )
  })

  it('survives arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 })), (chunks) => {
        const recorder = recordFrames()
        const decoder = new FrameDecoder(recorder, limitedBudget(30), 100)
        for (const chunk of chunks) decoder.push(Buffer.from(chunk))
        assert.ok(recorder.events.filter(({ kind }) => kind === 'violation').length <= 1)
      }),
      { numRuns: 1_000 }
    )
  })
})
