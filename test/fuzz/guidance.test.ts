/** Runs in a process of its own, in which nothing was counted before: V8 may then leave out what it has optimized. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import { intersect } from './coverage.ts'
import { fuzzGuided } from './guided.ts'
import { fuzz } from './runner.ts'
import type { FuzzTarget } from './target.ts'

describe('guidance by coverage', () => {
  /**
   * Fails behind four conditions, each of which an input meets by chance once in 256 times. With guidance about 15,000
   * inputs get there. Which ones V8 counts differs from run to run: so the bound is 20 times as high.
   */
  const staircase: FuzzTarget = {
    name: 'staircase',
    inputCount: 300_000,
    generate: (random) => random.bytes(5),
    run(input) {
      // Changes to long inputs would seldom hit the bytes that matter.
      if (input.length > 8) return
      if (input[0] !== 0x7f) return
      if (input[1] !== 0x80) return
      if (input[2] !== 0x9f) return
      assert.notEqual(input[3], 0xbf, 'the planted bug')
    }
  }

  it('gets to a bug that chance does not find', async (t) => {
    const { finding, inputs } = await fuzzGuided(staircase, { seed: 1 }, 'guidance.test.ts')
    assert.ok(finding !== undefined, `not found with ${inputs} inputs`)
    t.after(() => rmSync(finding.file))
    assert.equal(finding.input.toString('hex'), '7f809fbf')
    const blind = await fuzz(staircase, { seed: 1 })
    assert.equal(blind.finding, undefined)
  })

  it('knows what is left of code that was never reached', () => {
    const left = intersect(
      [
        [0, 10],
        [20, 30]
      ],
      [
        [5, 22],
        [25, 26],
        [40, 50]
      ]
    )
    assert.deepEqual(left, [
      [5, 10],
      [20, 22],
      [25, 26]
    ])
  })
})
