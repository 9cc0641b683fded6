import assert from 'node:assert/strict'
import { FrameDecoder } from '../../../component/protocol/index.ts'
import { limitedBudget, recordFrames } from '../../helpers/frame-recorder.ts'
import { encodeFrame } from '../../helpers/wire-frames.ts'
import { GOLDEN_REQUESTS } from '../corpus.ts'
import { below, mutate, pick } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const BUDGET_BYTES = 1_000
const LENGTH_MAX = 2 ** 30
/** Longer inputs are cut at random places instead of everywhere. */
const CUT_EVERYWHERE_BYTES_MAX = 400

/** What comes out of the decoder, as one text per event. Large frames may be refused at any size of chunks. */
function decode(chunks: readonly Buffer[], budgetBytes: number): string[] {
  const budget = limitedBudget(budgetBytes)
  const recorder = recordFrames((event) => {
    if (event.kind === 'frame') budget.release(event.reservedBytes)
  })
  const decoder = new FrameDecoder(recorder, budget, LENGTH_MAX)
  for (const chunk of chunks) {
    decoder.push(chunk)
    assert.ok(budget.takenBytes <= budgetBytes, 'more memory is taken than there is')
  }
  decoder.stop()
  assert.equal(budget.takenBytes, 0, 'all memory is given back')
  return recorder.events.map((event) => {
    switch (event.kind) {
      case 'frame':
        return `${event.operation} ${event.payload.toString('hex')}`
      case 'refused':
        return `${event.operation} refused`
      case 'version':
        return `version ${event.version}`
      case 'violation':
        return `violation ${event.violation.kind}`
    }
  })
}

const piecesOf = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

/** The frame decoder on streams of frames with changed bytes, cut at every place. */
export const frames: FuzzTarget = {
  name: 'frames',
  inputCount: 3_000,
  generate(random) {
    const requests = Array.from({ length: 1 + below(random, 4) }, () => pick(random, GOLDEN_REQUESTS).frame)
    const small = Array.from({ length: below(random, 4) }, () =>
      encodeFrame(below(random, 256) - 128, random.bytes(below(random, 12)))
    )
    const bytes = Buffer.concat([Buffer.from([1]), ...small, ...requests])
    return random.fraction() < 0.2 ? bytes : mutate(random, bytes.subarray(0, below(random, 1_500)))
  },
  run(input) {
    const whole = decode([input], Infinity)
    assert.deepEqual(decode(piecesOf(input, 1), Infinity), whole, 'single bytes')
    assert.deepEqual(decode(piecesOf(input, 7), Infinity), whole, 'seven bytes at a time')
    if (input.length <= CUT_EVERYWHERE_BYTES_MAX) {
      for (let at = 1; at < input.length; at += 1) {
        assert.deepEqual(decode([input.subarray(0, at), input.subarray(at)], Infinity), whole, `cut at ${at}`)
      }
    }
    decode([input], BUDGET_BYTES)
    decode(piecesOf(input, 50), BUDGET_BYTES)
  }
}
