import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBandwidth } from '../../../component/export/bandwidth.ts'
import { createPacer } from '../../../component/export/pacer.ts'
import { createSlots } from '../../../component/export/slots.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'

const BYTES_PER_SECOND = 250_000
const PIECE_BYTES = BYTES_PER_SECOND / 4

test('without a limit nothing waits', async () => {
  await createPacer(createFakeClock(), undefined)(1e9, new AbortController().signal)
})

test('a body under way and requests without end get half of the bandwidth each', async () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth(clock, BYTES_PER_SECOND * 8)
  const slots = createSlots(clock, 5, bandwidth)
  const pace = createPacer(clock, bandwidth)
  const taken = { requests: 0, pieces: 0 }
  const request = (): void =>
    void slots.request({
      priority: 1,
      isSuspect: false,
      run(grant) {
        grant.charge(bandwidth.requestBytesMax)
        taken.requests += bandwidth.requestBytesMax
        // The answer takes its time.
        clock.after(20, () => {
          grant.release()
          request()
        })
      }
    })
  const body = async (): Promise<void> => {
    for (;;) {
      await pace(PIECE_BYTES, new AbortController().signal)
      taken.pieces += PIECE_BYTES
      // So does the way of a piece.
      await new Promise<void>((resolve) => clock.after(5, resolve))
    }
  }
  slots.start()
  request()
  request()
  void body()
  for (let second = 0; second < 60; second += 1) await clock.advanceAsync(1_000)
  const total = taken.requests + taken.pieces
  assert.ok(Math.abs(total / (60 * BYTES_PER_SECOND) - 1) < 0.1, `${total} bytes`)
  assert.ok(taken.pieces > total * 0.4 && taken.pieces < total * 0.6, `${taken.pieces} of ${total} bytes`)
  slots.stop()
})

test('a body that has ended leaves requests alone', () => {
  const clock = createFakeClock()
  const bandwidth = createBandwidth(clock, 8_000)
  const leave = bandwidth.awaitPiece()
  bandwidth.charge(1_000)
  assert.equal(bandwidth.pieceWaitMs(), 0)
  assert.equal(bandwidth.waitMs(), 1)
  leave()
  assert.equal(bandwidth.waitMs(), 0)
})
