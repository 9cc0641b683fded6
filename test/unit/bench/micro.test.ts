import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MICRO_BENCHMARKS, runMicro } from '../../bench/micro/run.ts'

describe('the micro-benchmarks', () => {
  for (const { name, prepare } of MICRO_BENCHMARKS) {
    it(`can ${name}`, async (t) => {
      const benchmark = await prepare()
      t.after(() => benchmark.close())
      // A run throws when its work was not done.
      await benchmark.run(1)
      await benchmark.run(200)
    })
  }

  it('fill a table', async () => {
    const [heading, ...rows] = await runMicro({ rounds: 1, seconds: 0.001 })
    assert.deepEqual(heading, ['', 'ns', 'per second'])
    assert.deepEqual(
      rows.map(([name]) => name),
      MICRO_BENCHMARKS.map(({ name }) => name)
    )
    assert.ok(rows.flat().every((cell) => cell !== '-'))
  })
})
