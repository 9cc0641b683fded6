import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { nextTurn } from '../../../component/base/turn.ts'
import { expose, formatFor } from '../../../component/monitor/exposition.ts'
import { HEALTH_CAUSES } from '../../../component/monitor/health.ts'
import { bytesFrom, createAges } from '../../../component/monitor/lag.ts'
import { METRICS } from '../../../component/monitor/metrics.ts'
import { createRates } from '../../../component/monitor/rates.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'
import { append, definitionOf, openScene, streamOf } from '../../helpers/stream-scene.ts'

describe('rates', () => {
  it('are averages over ten seconds and a minute, or since the first look', () => {
    const clock = createFakeClock()
    let grown = 0
    const rates = createRates(clock, () => [[{ key: 's', messages: grown, bytes: grown * 10 }]], nextTurn)
    assert.deepEqual(rates.messages('s', 5), { over10s: 0, over1m: 0 })
    clock.advance(2_000)
    grown = 100
    assert.deepEqual(rates.messages('s', grown), { over10s: 50, over1m: 50 })
    assert.deepEqual(rates.bytes('s', 1_000), { over10s: 500, over1m: 500 })
    clock.advance(118_000)
    assert.deepEqual(rates.messages('s', grown), { over10s: 0, over1m: 0 })
    clock.advance(5_000)
    grown += 600
    assert.deepEqual(rates.messages('s', grown), { over10s: 60, over1m: 10 })
    assert.deepEqual(rates.messages('unknown', 7), { over10s: 0, over1m: 0 })
    // What shrinks, after damage for example, has no negative rate.
    assert.deepEqual(rates.messages('s', 0), { over10s: 0, over1m: 0 })
    rates.stop()
    assert.equal(clock.pendingTimers, 0)
  })

  it('forget what is gone, and begin anew when it comes back', () => {
    const clock = createFakeClock()
    let keys = ['a']
    const rates = createRates(clock, () => keys.map((key) => [{ key, messages: 1_000, bytes: 0 }]), nextTurn)
    keys = []
    clock.advance(5_000)
    assert.deepEqual(rates.messages('a', 2_000), { over10s: 0, over1m: 0 })
    keys = ['a']
    clock.advance(5_000)
    clock.advance(2_000)
    assert.deepEqual(rates.messages('a', 1_020), { over10s: 10, over1m: 10 })
  })
})

describe('lag', () => {
  it('is estimated from the sizes of segments, and the age read once', async () => {
    const scene = await openScene()
    await scene.registry.create(definitionOf('s', { segmentSizeBytes: 1_024 }))
    for (let count = 0; count < 40; count += 1) await append(scene, 's', 'x'.repeat(76))
    const { log } = streamOf(scene, 's')
    assert.ok(log.sealed.length > 2)
    const recordBytes = log.recordBytes(76)
    for (const position of [0, 1, 7, 25, 39, 40, 50])
      assert.equal(bytesFrom(log, position), Math.max(0, 40 - position) * recordBytes, `from ${position}`)
    const ages = createAges()
    let reads = 0
    const counted = {
      ...log,
      next: log.next,
      read: (...args: Parameters<typeof log.read>) => ((reads += 1), log.read(...args))
    }
    for (let look = 0; look < 3; look += 1) assert.equal(await ages.ingestTimeMs('k', counted, 5), scene.clock.wallMs())
    assert.equal(reads, 1)
    assert.equal(await ages.ingestTimeMs('k', counted, 40), undefined)
    ages.keep(new Set())
    await ages.ingestTimeMs('k', counted, 5)
    assert.equal(reads, 3)
    const broken = { ...counted, read: () => Promise.reject(new Error('EIO')) }
    assert.equal(await ages.ingestTimeMs('other', broken, 5), undefined)
  })
})

describe('the exposition', () => {
  it('escapes labels and help', () => {
    const lines = expose(
      [{ name: 'a_total', type: 'counter', help: 'a\\b\nc', series: [{ labels: { l: 'q"\\\n' }, value: 1 }] }],
      'prometheus'
    )
    assert.equal([...lines].join(''), '# HELP a_total a\\\\b\\nc\n# TYPE a_total counter\na_total{l="q\\"\\\\\\n"} 1\n')
    const empty = expose([{ name: 'a', type: 'gauge', help: 'h', series: [] }], 'openmetrics')
    assert.equal([...empty].join(''), '# EOF\n')
    assert.equal(formatFor(undefined), 'prometheus')
  })
})

describe('docs/monitoring.md', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/monitoring.md'), 'utf8')
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1)
    )

  it('has every metric as the code has it', () => {
    const told = rows.filter(([name = '']) => /^`(stream_manager|process)_/.test(name))
    assert.deepEqual(
      told.map(([name, type, help]) => [name, type, help]),
      METRICS.map(({ name, type, help }) => [`\`${name}\``, type, `${help}.`])
    )
    for (const { name, type } of METRICS) {
      assert.match(name, /^(stream_manager|process)_[a-z0-9_]+$/)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
    }
  })

  it('has every reason of bad health, with what to do', () => {
    const told = rows.filter(([code = '']) => Object.hasOwn(HEALTH_CAUSES, code.replaceAll('`', '')))
    const expected = Object.entries(HEALTH_CAUSES).map(([code, { severity, meaning, remedy }]) => [
      `\`${code}\``,
      severity,
      `${meaning}.`,
      `${remedy}.`
    ])
    assert.deepEqual(told, expected)
  })
})
