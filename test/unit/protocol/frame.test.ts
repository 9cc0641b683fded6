import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeFrame, FrameDecoder } from '../../../component/protocol/frame.ts'
import { limitedBudget, recordFrames, type FrameEvent } from '../../helpers/frame-recorder.ts'
import { hex } from '../../helpers/protocol-payloads.ts'

const LENGTH_MAX = 2 ** 30
const KIB = 1024

/** A decoder that has read the connect version. */
function connected(
  react?: (event: FrameEvent, decoder: FrameDecoder) => void,
  budget = limitedBudget(Infinity),
  lengthMax = LENGTH_MAX
) {
  const recorder = recordFrames((event) => {
    if (event.kind !== 'version') react?.(event, decoder)
  })
  const decoder = new FrameDecoder(recorder, budget, lengthMax)
  decoder.push(Buffer.from([1]))
  recorder.events.length = 0
  return { decoder, events: recorder.events, budget }
}

const frameEvent = (operation: number, payload: Buffer, reservedBytes = 0): FrameEvent => ({
  kind: 'frame',
  operation,
  payload,
  reservedBytes
})

describe('encodeFrame', () => {
  it('counts the operation in the length', () => {
    assert.deepEqual(encodeFrame(4, hex('a0 01')), hex('00000003 04 a001'))
    assert.deepEqual(encodeFrame(17, Buffer.alloc(0)), hex('00000001 11'))
  })
})

describe('a frame decoder', () => {
  it('hands out the connect version, then frames, all from one chunk', () => {
    const recorder = recordFrames()
    const decoder = new FrameDecoder(recorder, limitedBudget(0), LENGTH_MAX)
    decoder.push(Buffer.concat([Buffer.from([1]), encodeFrame(1, hex('a0')), encodeFrame(2, hex('a1 00 00'))]))
    assert.deepEqual(recorder.events, [
      { kind: 'version', version: 1 },
      frameEvent(1, hex('a0')),
      frameEvent(2, hex('a1 00 00'))
    ])
  })

  it('hands out any first byte as version', () => {
    const recorder = recordFrames()
    new FrameDecoder(recorder, limitedBudget(0), LENGTH_MAX).push(hex('47'))
    assert.deepEqual(recorder.events, [{ kind: 'version', version: 0x47 }])
  })

  it('does not copy a frame that lies within a chunk', () => {
    const { decoder, events } = connected()
    const chunk = encodeFrame(4, hex('010203'))
    decoder.push(chunk)
    chunk[7] = 9
    assert.deepEqual(events, [frameEvent(4, hex('010209'))])
  })

  it('takes bytes one at a time, as Java writes them', () => {
    const { decoder, events } = connected()
    for (const byte of encodeFrame(4, hex('010203'))) decoder.push(Buffer.from([byte]))
    assert.deepEqual(events, [frameEvent(4, hex('010203'), 3)])
  })

  it('hands out a frame without payload as soon as its header is there', () => {
    const { decoder, events } = connected()
    decoder.push(hex('00000001'))
    decoder.push(hex('04'))
    assert.deepEqual(events, [frameEvent(4, Buffer.alloc(0))])
  })

  it('reads the operation as a signed byte', () => {
    const { decoder, events } = connected()
    decoder.push(hex('00000001 ff'))
    assert.deepEqual(events, [frameEvent(-1, Buffer.alloc(0))])
  })

  it('collects a large frame from chunks of any size', () => {
    const payload = Buffer.from(Array.from({ length: 1_000_003 }, (_, index) => index % 251))
    const frame = encodeFrame(4, payload)
    for (const chunkBytes of [1_000, 65_536, 400_000]) {
      const { decoder, events, budget } = connected()
      for (let start = 0; start < frame.length; start += chunkBytes) {
        decoder.push(Buffer.from(frame.subarray(start, start + chunkBytes)))
      }
      assert.deepEqual(events, [frameEvent(4, payload, payload.length)])
      assert.equal(budget.takenBytes, payload.length, 'the memory now belongs to the receiver of the frame')
    }
  })

  it('tells how much of a frame has arrived', () => {
    const { decoder } = connected()
    assert.equal(decoder.receivedBytes, undefined)
    const steps = ['000000', '0a 04', '01020304', '05060708', '09'].map((part) => {
      decoder.push(hex(part))
      return decoder.receivedBytes
    })
    assert.deepEqual(steps, [3, 5, 9, 13, undefined])
  })

  it('stops at a length of 0 without waiting for an operation', () => {
    const { decoder, events } = connected()
    decoder.push(hex('000000'))
    decoder.push(hex('00'))
    decoder.push(encodeFrame(4, hex('a0')))
    assert.deepEqual(events, [{ kind: 'violation', violation: { kind: 'lengthNotPositive', length: 0 } }])
  })

  it('stops at a negative length', () => {
    const { decoder, events } = connected()
    decoder.push(Buffer.concat([hex('ffffffff 04'), encodeFrame(4, hex('a0'))]))
    assert.deepEqual(events, [{ kind: 'violation', violation: { kind: 'lengthNotPositive', length: -1 } }])
  })

  it('stops at a length beyond the limit, and hands out what is there of the payload', () => {
    const { decoder, events } = connected()
    decoder.push(Buffer.concat([hex('40000001 04'), Buffer.alloc(100 * KIB, 7)]))
    decoder.push(encodeFrame(4, hex('a0')))
    const violation = {
      kind: 'lengthTooLarge',
      length: 2 ** 30 + 1,
      operation: 4,
      payloadStart: Buffer.alloc(64 * KIB, 7)
    }
    assert.deepEqual(events, [{ kind: 'violation', violation }])
  })

  it('takes a length up to the limit', () => {
    const { decoder, events } = connected(undefined, limitedBudget(Infinity), 3)
    decoder.push(encodeFrame(4, hex('0102')))
    decoder.push(encodeFrame(4, hex('010203')))
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['frame', 'violation']
    )
  })

  it('applies a raised limit to the next frame, also of the same chunk', () => {
    const { decoder, events } = connected(
      (_, decoder) => {
        decoder.lengthMax = LENGTH_MAX
      },
      limitedBudget(0),
      3
    )
    decoder.push(Buffer.concat([encodeFrame(1, hex('0102')), encodeFrame(4, hex('010203'))]))
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['frame', 'frame']
    )
  })
})

describe('a paused frame decoder', () => {
  it('keeps the rest of the chunk and what comes later, and hands it out in order', () => {
    const { decoder, events } = connected((event, decoder) => {
      if (event.kind === 'frame' && event.operation < 3) decoder.pause()
    })
    const frames = [1, 2, 3, 4].map((operation) => encodeFrame(operation, hex('a0')))
    decoder.push(Buffer.concat(frames.slice(0, 3)))
    decoder.push(frames[3]!)
    assert.equal(events.length, 1)
    decoder.resume()
    assert.equal(events.length, 2)
    decoder.resume()
    assert.deepEqual(
      events,
      [1, 2, 3, 4].map((operation) => frameEvent(operation, hex('a0')))
    )
  })

  it('may be resumed from within an event', () => {
    const { decoder, events } = connected((_, decoder) => {
      decoder.pause()
      decoder.resume()
    })
    decoder.push(Buffer.concat([1, 2, 3].map((operation) => encodeFrame(operation, hex('a0')))))
    assert.deepEqual(
      events,
      [1, 2, 3].map((operation) => frameEvent(operation, hex('a0')))
    )
  })

  it('hands out nothing more after it was stopped', () => {
    const { decoder, events } = connected((_, decoder) => decoder.stop())
    decoder.push(Buffer.concat([encodeFrame(1, hex('a0')), encodeFrame(2, hex('a0'))]))
    decoder.resume()
    decoder.push(encodeFrame(3, hex('a0')))
    assert.equal(events.length, 1)
  })
})

describe('the memory of frames', () => {
  const frame = encodeFrame(4, Buffer.alloc(200 * KIB, 'x'))

  it('is taken only for what has arrived, and given back when the decoder stops', () => {
    const { decoder, budget } = connected()
    decoder.push(hex('40000000 04'))
    assert.equal(budget.takenBytes, 0)
    decoder.push(Buffer.alloc(1000))
    assert.equal(budget.takenBytes, 1000)
    decoder.stop()
    decoder.stop()
    assert.equal(budget.takenBytes, 0)
  })

  it('is not taken for frames within one chunk', () => {
    const { decoder, events } = connected(undefined, limitedBudget(0))
    decoder.push(frame)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['frame']
    )
  })

  it('when refused early, leaves the first 64 KiB to be found', () => {
    const { decoder, events, budget } = connected(undefined, limitedBudget(1500))
    decoder.push(frame.subarray(0, 1005))
    assert.equal(budget.takenBytes, 1000)
    decoder.push(frame.subarray(1005, 2005))
    assert.equal(budget.takenBytes, 0)
    assert.deepEqual(events, [])
    decoder.push(frame.subarray(2005))
    assert.deepEqual(events, [{ kind: 'refused', operation: 4, payloadStart: Buffer.alloc(64 * KIB, 'x') }])
    assert.equal(decoder.receivedBytes, undefined)
  })

  it('when refused late, leaves the first 64 KiB at once', () => {
    const large = encodeFrame(5, Buffer.from(Array.from({ length: 300 * KIB }, (_, index) => index % 251)))
    const { decoder, events } = connected(undefined, limitedBudget(200 * KIB))
    for (let start = 0; start < large.length; start += 10 * KIB) decoder.push(large.subarray(start, start + 10 * KIB))
    assert.deepEqual(events, [{ kind: 'refused', operation: 5, payloadStart: large.subarray(5, 5 + 64 * KIB) }])
  })

  it('when refused for a short frame, leaves all of it, and the next frame is read', () => {
    const { decoder, events } = connected(undefined, limitedBudget(0))
    const chunk = Buffer.concat([encodeFrame(4, hex('010203')), encodeFrame(5, hex('a0'))])
    decoder.push(chunk.subarray(0, 6))
    assert.equal(decoder.receivedBytes, 6)
    decoder.push(chunk.subarray(6))
    assert.deepEqual(events, [{ kind: 'refused', operation: 4, payloadStart: hex('010203') }, frameEvent(5, hex('a0'))])
  })

  it('may be there again for the next frame', () => {
    const { decoder, events } = connected(undefined, limitedBudget(2))
    for (const payload of ['010203', '0102']) {
      const bytes = encodeFrame(4, hex(payload))
      decoder.push(bytes.subarray(0, 5))
      decoder.push(bytes.subarray(5))
    }
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['refused', 'frame']
    )
  })
})
