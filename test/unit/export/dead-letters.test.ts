import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDeadLetters, LETTER_PAYLOAD_BYTES_MAX } from '../../../component/export/dead-letters.ts'
import { createExportHarness, createFakeSource, httpExport } from '../../helpers/export-harness.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'

const LOST = 'Skipped messages could not be kept in the dead-letter stream'

function scene() {
  const clock = createFakeClock()
  const log = createRecordingLog()
  const appended: { streamName: string; payload: Buffer; answer: (reason?: string) => void }[] = []
  const letters = createDeadLetters(
    clock,
    log,
    'dead',
    (streamName, payload) => new Promise((answer) => void appended.push({ streamName, payload, answer }))
  )
  const keep = (payload: Buffer, streamName = 's'): void =>
    letters.keep({
      streamName,
      exportIdentifier: 'e',
      exportKind: 'http',
      message: { sequenceNumber: 7, ingestTimeMs: 123, payload },
      reason: 'HttpError: 400'
    })
  const warnings = (): number => log.entries.filter(({ message }) => message === LOST).length
  return { clock, appended, keep, warnings }
}

describe('dead letters', () => {
  it('say where a message came from, why it was skipped, and what it held', () => {
    const { keep, appended, clock } = scene()
    keep(Buffer.from([0, 255]))
    assert.equal(appended[0]?.streamName, 'dead')
    assert.deepEqual(JSON.parse(appended[0].payload.toString()), {
      stream: 's',
      export: 'e',
      exportKind: 'http',
      sequenceNumber: 7,
      ingestTime: 123,
      skippedAt: clock.wallMs(),
      reason: 'HttpError: 400',
      payloadBytes: 2,
      isPayloadCut: false,
      payload: 'AP8='
    })
  })

  it('hold the beginning of a large payload', () => {
    const { keep, appended } = scene()
    keep(Buffer.alloc(LETTER_PAYLOAD_BYTES_MAX + 1, 1))
    const letter = JSON.parse(appended[0]!.payload.toString()) as Record<string, unknown>
    assert.deepEqual([letter['payloadBytes'], letter['isPayloadCut']], [LETTER_PAYLOAD_BYTES_MAX + 1, true])
    assert.equal(Buffer.from(String(letter['payload']), 'base64').length, LETTER_PAYLOAD_BYTES_MAX)
  })

  it('are not written about themselves', () => {
    const { keep, appended, warnings } = scene()
    keep(Buffer.from('x'), 'dead')
    assert.deepEqual([appended.length, warnings()], [0, 0])
  })

  it('are bounded while the stream takes none, by number and by bytes, and say once a minute that some are lost', async () => {
    for (const [bytes, expected] of [
      [1, 1_000],
      [200_000, 63]
    ] as const) {
      const { keep, appended, warnings, clock } = scene()
      for (let count = 0; count < 1_100; count += 1) keep(Buffer.alloc(bytes))
      assert.equal(appended.length, expected)
      assert.equal(warnings(), 1)
      for (const { answer } of appended) answer('there is no such stream')
      await flush()
      assert.equal(warnings(), 1)
      clock.advance(60_000)
      keep(Buffer.alloc(bytes))
      appended.at(-1)!.answer('there is no such stream')
      await flush()
      assert.equal(warnings(), 2)
    }
  })

  it('are written for each skipped message, whatever becomes of the letter', async () => {
    const kept: number[] = []
    const harness = createExportHarness({ deadLetters: { keep: ({ message }) => kept.push(message.sequenceNumber) } })
    const source = createFakeSource(harness.clock)
    harness.engine.open(source, [httpExport()], new Map())
    harness.autoAnswer = ({ messages }) =>
      messages.some(({ sequenceNumber }) => sequenceNumber === 5)
        ? { kind: 'rejected', reason: 'HttpError: 400' }
        : { kind: 'delivered' }
    source.append(9)
    await harness.clock.advanceAsync(1_000)
    assert.deepEqual(kept, [5])
    const [observation] = harness.engine.observe(source.streamId)
    assert.deepEqual(observation?.accounting.skippedRanges, [{ first: 5, last: 5, count: 1, reason: 'HttpError: 400' }])
    assert.equal(observation.accounting.exported, 8)
  })
})
