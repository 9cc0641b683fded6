import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fault } from '../../component/base/fault.ts'
import type { OpenConnection } from '../../component/greengrass/ipc.ts'
import { openSocketConnection } from '../../component/greengrass/ipc-connection.ts'
import { createIpcNucleus } from '../../component/greengrass/ipc-nucleus.ts'
import type { Nucleus } from '../../component/greengrass/nucleus.ts'
import { createFakeClock, flush, type FakeClock } from '../helpers/fake-clock.ts'
import { startFakeNucleus, type FakeNucleus, type NucleusFlavour } from '../helpers/fake-nucleus.ts'
import { createRecordingLog, type RecordingLog } from '../helpers/recording-log.ts'
import { createFixedRandom } from '../helpers/seeded-random.ts'

const FLAVOURS: readonly NucleusFlavour[] = ['classic', 'lite']
const TOKEN = 'A+COMPONENT/S+16'
const PATIENCE_MS = 20_000

interface Scene {
  readonly fake: FakeNucleus
  readonly nucleus: Nucleus
  readonly clock: FakeClock
  readonly log: RecordingLog
}

/** Lets real I/O happen until it has led to `condition`; time stands still. */
async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`never happened: ${String(condition)}`)
    await flush()
  }
}

const connected = (log: RecordingLog): number =>
  log.entries.filter(({ message }) => message === 'Connected to the nucleus').length

/** What every way to the nucleus must give; `transport` opens connections to the socket at a path. */
export function describeNucleus(name: string, transport: (socketPath: string) => OpenConnection): void {
  const withNucleus = async (
    flavour: NucleusFlavour,
    run: (scene: Scene) => Promise<void>,
    prepare: (fake: FakeNucleus) => void | Promise<void> = () => undefined
  ): Promise<void> => {
    const fake = await startFakeNucleus(flavour)
    await prepare(fake)
    const clock = createFakeClock()
    const log = createRecordingLog()
    const token = 'OWN+TOKEN/000000'
    const random = createFixedRandom(0.5)
    const [open, openByName] = [transport(fake.socketPath), openSocketConnection(fake.socketPath)]
    const nucleus = createIpcNucleus({ open, openByName, token, clock, random, log })
    try {
      await run({ fake, nucleus, clock, log })
      assert.deepEqual(fake.violations, [])
      const written = JSON.stringify(log.entries)
      for (const secret of [token, fake.ownToken, ...fake.tokens]) assert.ok(!written.includes(secret), written)
    } finally {
      nucleus.close()
      await fake.dispose()
    }
  }

  for (const flavour of FLAVOURS) {
    describe(`the ${flavour} nucleus through ${name}`, () => {
      it('is asked about tokens', () =>
        withNucleus(flavour, async ({ fake, nucleus }) => {
          assert.equal(await nucleus.validateToken(TOKEN), true)
          assert.equal(await nucleus.validateToken('WRONG+TOKEN+0000'), false)
          assert.equal(await nucleus.validateToken(fake.ownToken), true)
          assert.deepEqual(fake.connects, [{ authToken: fake.ownToken }])
          await fake.until(() => fake.openStreamCount === 0)
        }))

      it('is asked about a token once, also by many at a time', () =>
        withNucleus(flavour, async ({ fake, nucleus }) => {
          const verdicts = await Promise.all([1, 2, 3].map(() => nucleus.validateToken(TOKEN)))
          verdicts.push(await nucleus.validateToken(TOKEN))
          assert.deepEqual(verdicts, [true, true, true, true])
          assert.equal(fake.asked.length, 1)
        }))

      it('is told the port and that the component runs', () =>
        withNucleus(flavour, async ({ fake, nucleus, clock }) => {
          await nucleus.publishPort(8088)
          await nucleus.reportRunning()
          const timestamp = clock.wallMs() / 1000 + 0.001
          assert.ok(!Number.isInteger(timestamp))
          assert.deepEqual(fake.asked, [
            { operation: 'UpdateConfiguration', payload: { keyPath: [], timestamp, valueToMerge: { port: 8088 } } },
            { operation: 'UpdateState', payload: { state: 'RUNNING' } }
          ])
        }))

      it('takes metrics, or is known not to', () =>
        withNucleus(flavour, async ({ fake, nucleus }) => {
          const increments = [
            { name: 'BytesAppended', bytes: 12 },
            { name: 'BytesUploadedToIoTAnalytics', bytes: 2 ** 40 }
          ]
          const reason = 'the nucleus answered PutComponentMetric with ServiceError'
          const outcome = flavour === 'classic' ? { kind: 'added' } : { kind: 'refused', reason }
          assert.deepEqual(await nucleus.putMetrics(increments), outcome)
          const metrics = increments.map(({ name, bytes }) => ({ name, unit: 'BYTES', value: bytes }))
          assert.deepEqual(fake.asked, [{ operation: 'PutComponentMetric', payload: { metrics } }])
          assert.equal(await nucleus.validateToken(TOKEN), true)
        }))

      it('may refuse metrics, and then has not added them', () =>
        withNucleus(flavour, async ({ fake, nucleus }) => {
          fake.failing.set('PutComponentMetric', 'UnauthorizedError')
          const reason = 'the nucleus answered PutComponentMetric with UnauthorizedError'
          assert.deepEqual(await nucleus.putMetrics([{ name: 'BytesAppended', bytes: 1 }]), { kind: 'refused', reason })
          assert.equal(fake.metrics.size, 0)
        }))

      it('is not asked to add metrics while there is no connection', () =>
        withNucleus(flavour, async ({ fake, nucleus, log }) => {
          await until(() => connected(log) === 1)
          await fake.stop()
          await until(() => log.at('WARN').length === 1)
          assert.deepEqual(await nucleus.putMetrics([{ name: 'BytesAppended', bytes: 1 }]), { kind: 'unsent' })
        }))

      it('that is never reached is not asked to add metrics', () =>
        withNucleus(
          flavour,
          async ({ nucleus }) => {
            assert.deepEqual(await nucleus.putMetrics([{ name: 'BytesAppended', bytes: 1 }]), { kind: 'unsent' })
          },
          (fake) => fake.stop()
        ))

      it('that gives no answer may have added metrics', () =>
        withNucleus(flavour, async ({ fake, nucleus, clock, log }) => {
          fake.answers = false
          const silent = nucleus.putMetrics([{ name: 'BytesAppended', bytes: 1 }])
          await fake.until(() => fake.asked.length === 1)
          clock.advance(5_000)
          assert.deepEqual(await silent, { kind: 'unknown' })
          await until(() => log.at('WARN').length === 1)
          clock.advance(250)
          const cutOff = nucleus.putMetrics([{ name: 'BytesAppended', bytes: 1 }])
          await fake.until(() => fake.asked.length === 2)
          fake.dropConnections()
          assert.deepEqual(await cutOff, { kind: 'unknown' })
        }))

      it('may refuse what it is told', () =>
        withNucleus(flavour, async ({ fake, nucleus }) => {
          fake.failing.set('UpdateConfiguration', 'FailedUpdateConditionCheckError')
          await assert.rejects(nucleus.publishPort(1), { message: /UpdateConfiguration with FailedUpdateCondition/ })
          assert.equal(await nucleus.validateToken(TOKEN), true)
        }))

      it('lets nobody in while it gives no verdict', () =>
        withNucleus(flavour, async ({ fake, nucleus, log }) => {
          fake.mayValidate = false
          await assert.rejects(nucleus.validateToken(TOKEN), Fault)
          assert.match(log.at('ERROR')[0]?.message ?? '', /only the component aws.greengrass.StreamManager/)
          fake.mayValidate = true
          fake.failing.set('ValidateAuthorizationToken', 'ServiceError')
          await assert.rejects(nucleus.validateToken(TOKEN), Fault)
          fake.failing.clear()
          assert.equal(await nucleus.validateToken(TOKEN), true)
        }))

      it('may come later than the server', () =>
        withNucleus(
          flavour,
          async ({ fake, nucleus, clock, log }) => {
            await assert.rejects(nucleus.validateToken(TOKEN), Fault)
            await until(() => clock.pendingTimers === 1)
            await assert.rejects(nucleus.validateToken(TOKEN), Fault)
            await fake.start()
            clock.advance(250)
            assert.equal(await nucleus.validateToken(TOKEN), true)
            assert.equal(log.at('WARN').filter(({ message }) => message.startsWith('There is no connection')).length, 1)
          },
          (fake) => fake.stop()
        ))

      it('is asked anew after the connection was lost', () =>
        withNucleus(flavour, async ({ fake, nucleus, clock, log }) => {
          assert.equal(await nucleus.validateToken(TOKEN), true)
          fake.tokens.delete(TOKEN)
          fake.dropConnections()
          await until(() => log.at('WARN').length === 1)
          await assert.rejects(nucleus.validateToken(TOKEN), Fault)
          clock.advance(250)
          assert.equal(await nucleus.validateToken(TOKEN), false)
          assert.equal(fake.askedCount('ValidateAuthorizationToken'), 2)
        }))

      it('loses what was in flight with the connection', () =>
        withNucleus(flavour, async ({ fake, nucleus }) => {
          fake.answers = false
          const verdict = nucleus.validateToken(TOKEN)
          const refused = assert.rejects(verdict, Fault)
          await fake.until(() => fake.asked.length === 1)
          fake.dropConnections()
          await refused
        }))

      it('is tried again after longer and longer pauses', () =>
        withNucleus(
          flavour,
          async ({ clock, log }) => {
            const failed = (): number => log.entries.filter(({ message }) => message.includes('no connection')).length
            const pausesMs: (number | undefined)[] = []
            for (let attempt = 0; attempt < 8; attempt += 1) {
              await until(() => failed() === attempt + 1)
              pausesMs.push(clock.nextTimerMs)
              clock.advance(pausesMs[attempt] ?? 0)
            }
            assert.deepEqual(pausesMs, [187.5, 375, 750, 1_500, 3_000, 3_750, 3_750, 3_750])
          },
          (fake) => fake.stop()
        ))

      it('gets 5 s to acknowledge a connection', () =>
        withNucleus(
          flavour,
          async ({ fake, nucleus, clock }) => {
            const verdict = nucleus.validateToken(TOKEN)
            const refused = assert.rejects(verdict, Fault)
            await fake.until(() => fake.connects.length === 1)
            clock.advance(5_000)
            await refused
            await fake.until(() => fake.connectionCount === 0)
            fake.acknowledges = true
            clock.advance(250)
            assert.equal(await nucleus.validateToken(TOKEN), true)
          },
          (fake) => void (fake.acknowledges = false)
        ))

      it('gets 5 s to answer; then the connection is made anew', () =>
        withNucleus(flavour, async ({ fake, nucleus, clock, log }) => {
          fake.answers = false
          const verdict = nucleus.validateToken(TOKEN)
          const refused = assert.rejects(verdict, Fault)
          await fake.until(() => fake.asked.length === 1)
          clock.advance(4_999)
          assert.equal(fake.connectionCount, 1)
          clock.advance(1)
          await refused
          await until(() => log.at('WARN').some(({ message }) => message.startsWith('There is no connection')))
          await fake.until(() => fake.connectionCount === 0)
          fake.answers = true
          clock.advance(250)
          assert.equal(await nucleus.validateToken(TOKEN), true)
        }))

      it('may be slow, and is asked about 16 tokens at a time', () =>
        withNucleus(flavour, async ({ fake, nucleus }) => {
          fake.answers = false
          const tokens = Array.from({ length: 40 }, (_, number) => `COMPONENT+${number}`)
          for (const token of tokens.slice(0, 30)) fake.tokens.add(token)
          const verdicts = Promise.all(tokens.map((token) => nucleus.validateToken(token)))
          await fake.until(() => fake.asked.length === 16)
          await flush()
          assert.equal(fake.asked.length, 16)
          fake.answers = true
          assert.deepEqual(
            await verdicts,
            tokens.map((_, number) => number < 30)
          )
        }))

      it('that sends nonsense is left and tried again', () =>
        withNucleus(flavour, async ({ fake, nucleus, clock, log }) => {
          assert.equal(await nucleus.validateToken(TOKEN), true)
          fake.sendRaw(Buffer.alloc(64, 0xa5))
          await until(() => log.at('WARN').length === 1)
          clock.advance(250)
          await until(() => connected(log) === 2)
          assert.equal(await nucleus.validateToken(TOKEN), true)
        }))

      it('hears nothing any more after the close', () =>
        withNucleus(flavour, async ({ fake, nucleus, clock }) => {
          assert.equal(await nucleus.validateToken(TOKEN), true)
          nucleus.close()
          await fake.until(() => fake.connectionCount === 0)
          await assert.rejects(nucleus.reportRunning(), Fault)
          await flush()
          assert.equal(clock.pendingTimers, 0)
          assert.equal(fake.asked.length, 1)
        }))

      it('may be closed before there is a connection', () =>
        withNucleus(
          flavour,
          async ({ fake, nucleus, clock }) => {
            await fake.until(() => fake.connects.length === 1)
            nucleus.close()
            await assert.rejects(nucleus.validateToken(TOKEN), Fault)
            await fake.until(() => fake.connectionCount === 0)
            await until(() => clock.pendingTimers === 0)
          },
          (fake) => void (fake.acknowledges = false)
        ))
    })
  }

  describe(`a restart that voids all tokens, through ${name}`, () => {
    const restart = async (fake: FakeNucleus, log: RecordingLog, clock: FakeClock): Promise<void> => {
      await until(() => connected(log) === 1)
      fake.ownToken = 'ANOTHER/TOKEN+00'
      fake.tokens.clear()
      fake.dropConnections()
      await until(() => log.at('WARN').length === 1)
      clock.advance(250)
    }

    it('on lite, is survived by name', () =>
      withNucleus('lite', async ({ fake, nucleus, clock, log }) => {
        await restart(fake, log, clock)
        await until(() => connected(log) === 2)
        assert.deepEqual(fake.connects.slice(1), [
          { authToken: 'OWN+TOKEN/000000' },
          { componentName: 'aws.greengrass.StreamManager' }
        ])
        assert.equal(await nucleus.validateToken(TOKEN), false)
        fake.tokens.add(TOKEN)
        clock.advance(1_000)
        assert.equal(await nucleus.validateToken(TOKEN), true)
      }))

    it('on lite, gives the component a new token, which is told and shown from then on', () =>
      withNucleus('lite', async ({ fake, nucleus, clock, log }) => {
        const told: string[] = []
        nucleus.followToken((token) => told.push(token))
        await restart(fake, log, clock)
        await until(() => connected(log) === 2)
        assert.deepEqual(told, ['ANOTHER/TOKEN+00'])
        const late: string[] = []
        nucleus.followToken((token) => late.push(token))
        assert.deepEqual(late, told)
        fake.dropConnections()
        await until(() => log.at('WARN').length === 2)
        clock.advance(1_000)
        await until(() => connected(log) === 3)
        assert.deepEqual(fake.connects.at(-1), { authToken: 'ANOTHER/TOKEN+00' })
        assert.equal(fake.connects.length, 4)
      }))

    for (const flavour of FLAVOURS) {
      it(`on ${flavour}, may leave nobody who can be admitted, for which a person is needed`, () =>
        withNucleus(flavour, async ({ fake, nucleus, clock, log }) => {
          fake.knowsByName = false
          await restart(fake, log, clock)
          await until(() => log.at('ERROR').length === 1)
          assert.match(log.at('ERROR')[0]?.message ?? '', /does not accept this component/)
          await assert.rejects(nucleus.validateToken(TOKEN), Fault)
          fake.ownToken = 'OWN+TOKEN/000000'
          clock.advance(2_000)
          await until(() => connected(log) === 2)
          assert.equal(log.at('ERROR').length, 1)
        }))
    }
  })
}
