import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { nextTurn } from '../../../component/base/turn.ts'
import type { ExportObservation } from '../../../component/export/index.ts'
import { createRates } from '../../../component/monitor/rates.ts'
import { ROUTES, type Answer } from '../../../component/monitor/routes.ts'
import {
  createTurns,
  encodeInSlices,
  jsonPieces,
  SLICE_CHARS,
  SLICE_ITEMS,
  type Turn
} from '../../../component/monitor/slices.ts'
import type { MonitorSources } from '../../../component/monitor/sources.ts'
import { createStatusMaker } from '../../../component/monitor/status.ts'
import { CALM_SOURCES } from '../../helpers/calm-sources.ts'
import { createFakeClock, flush } from '../../helpers/fake-clock.ts'
import { definitionOf, openScene } from '../../helpers/stream-scene.ts'

const nameOf = (index: number): string => `s${String(index).padStart(4, '0')}`

/** A turn that lasts until a test ends it. */
function createHeldTurns() {
  const waiting: (() => void)[] = []
  let isHeld = true
  const turn: Turn = () => (isHeld ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve())
  return {
    turn,
    release() {
      isHeld = false
      for (const resolve of waiting.splice(0)) resolve()
    }
  }
}

/** Reports on many streams without exports; the looks at streams are counted. */
async function createManyStreams(context: TestContext, count: number, turn: Turn) {
  const { clock, registry } = await openScene()
  for (let index = 0; index < count; index += 1)
    await registry.create(definitionOf(nameOf(index), { persistence: 'memory' }))
  /** Looks since the last turn, and those before each turn. */
  const looks = { now: 0, perTurn: [] as number[] }
  const observe = (): readonly ExportObservation[] => {
    looks.now += 1
    return []
  }
  const endSlice: Turn = () => {
    looks.perTurn.push(looks.now)
    looks.now = 0
    return turn()
  }
  const sources: MonitorSources = {
    ...CALM_SOURCES,
    clock,
    registry,
    engine: { observe }
  }
  const status = createStatusMaker(sources, endSlice)
  context.after(() => status.stop())
  return { clock, registry, status, looks }
}

describe('a look at a thousand streams', () => {
  it('is taken in slices, for a report and for samples', async (context) => {
    const { status, looks } = await createManyStreams(context, 1_000, nextTurn)
    assert.equal((await status.report()).streams.length, 1_000)
    await flush()
    const slices = looks.perTurn.filter((count) => count > 0)
    // All streams once for the samples and once for the report.
    assert.deepEqual(slices, new Array(20).fill(SLICE_ITEMS))
  })

  it('is shared by all who ask meanwhile, however long it takes', async (context) => {
    const held = createHeldTurns()
    const { clock, status, looks } = await createManyStreams(context, 250, held.turn)
    const first = status.report()
    clock.advance(3_000)
    assert.equal(status.report(), first)
    held.release()
    const report = await first
    assert.equal(report.streams.length, 250)
    assert.equal(
      looks.perTurn.reduce((sum, count) => sum + count, looks.now),
      500
    )
    const second = status.report()
    assert.notEqual(second, first)
    clock.advance(999)
    assert.equal(status.report(), second)
    await second
    assert.equal(status.report(), second)
  })

  it('leaves out streams that are deleted meanwhile, and has the others', async (context) => {
    const held = createHeldTurns()
    const { registry, status } = await createManyStreams(context, 250, held.turn)
    const making = status.report()
    await registry.delete(nameOf(5))
    await registry.delete(nameOf(170))
    await registry.create(definitionOf('t', { persistence: 'memory' }))
    held.release()
    const { streams, unopened, omitted } = await making
    // The first slice was looked at before.
    assert.deepEqual(
      streams.map(({ name }) => name),
      Array.from({ length: 250 }, (_, index) => nameOf(index)).filter((name) => name !== nameOf(170))
    )
    assert.deepEqual([unopened, omitted], [[], { streams: 0, exports: 0 }])
  })
})

describe('a round of samples', () => {
  it('is not begun again before it has ended, and each sample has its own time', async () => {
    const clock = createFakeClock()
    const held = createHeldTurns()
    const grown = { early: 0, late: 0 }
    let rounds = 0
    const fillers = Array.from({ length: SLICE_ITEMS - 1 }, (_, index) => ({ key: `${index}`, messages: 0, bytes: 0 }))
    const rates = createRates(
      clock,
      function* () {
        rounds += 1
        yield [{ key: 'early', messages: grown.early, bytes: 0 }, ...fillers]
        yield [{ key: 'late', messages: grown.late, bytes: 0 }]
      },
      held.turn
    )
    clock.advance(20_000)
    assert.equal(rounds, 1)
    grown.late = 1_000
    held.release()
    await flush()
    clock.advance(4_000)
    assert.deepEqual([rounds, rates.messages('early', 240).over1m, rates.messages('late', 1_040).over1m], [1, 10, 10])
    clock.advance(1_000)
    assert.equal(rounds, 2)
    await flush()
    rates.stop()
    assert.equal(clock.pendingTimers, 0)
  })

  it('ends with the server', async () => {
    const clock = createFakeClock()
    const held = createHeldTurns()
    const samples = Array.from({ length: 3 * SLICE_ITEMS }, (_, index) => [{ key: `${index}`, messages: 0, bytes: 0 }])
    const rates = createRates(clock, () => samples, held.turn)
    rates.stop()
    held.release()
    await flush()
    assert.equal(clock.pendingTimers, 0)
  })
})

describe('a large answer', () => {
  it('is written in slices', async () => {
    const pieces = Array.from({ length: 3_000 }, (_, index) => `line ${index} of ä long text\n`)
    let turns = 0
    const slices = await encodeInSlices(pieces, () => Promise.resolve(void (turns += 1)))
    assert.equal(Buffer.concat(slices).toString(), pieces.join(''))
    assert.deepEqual([turns, slices.length], [4, 5])
    for (const slice of slices) assert.ok(slice.toString().length < SLICE_CHARS + 100)
  })

  it('is the JSON of the whole, and made once for all who ask', async (context) => {
    const { status } = await createManyStreams(context, 3, nextTurn)
    const report = await status.report()
    const ask = async (path: string, accept?: string): Promise<Answer> => {
      const route = ROUTES[path]
      assert.ok(route !== undefined)
      return route({ accept, query: new URLSearchParams(), fetchSite: undefined }, () => Promise.resolve(report))
    }
    const [json, again] = await Promise.all([ask('/status'), ask('/status')])
    assert.ok(typeof json.body !== 'string')
    assert.equal(Buffer.concat(json.body).toString(), `${JSON.stringify(report)}\n`)
    assert.equal(again.body, json.body)
    const [text, open] = [await ask('/metrics'), await ask('/metrics', 'application/openmetrics-text')]
    assert.equal((await ask('/metrics')).body, text.body)
    assert.notEqual(open.body, text.body)
    for (const value of [{}, { a: [] }, { 'b"': [1, { c: null }], d: 'e' }])
      assert.equal([...jsonPieces(value)].join(''), JSON.stringify(value))
  })
})

describe('turns', () => {
  it('are given to one slice after the other', async () => {
    const begun: (() => void)[] = []
    const turn = createTurns(() => new Promise((resolve) => begun.push(resolve)))
    const done: string[] = []
    void turn().then(() => done.push('first'))
    void turn().then(() => done.push('second'))
    await flush()
    assert.equal(begun.length, 1)
    begun[0]?.()
    await flush()
    assert.deepEqual([done, begun.length], [['first'], 2])
    begun[1]?.()
    await flush()
    assert.deepEqual(done, ['first', 'second'])
  })
})
