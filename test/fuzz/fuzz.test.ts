import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { after, describe, it, type TestContext } from 'node:test'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { describeFinding, fuzz } from './runner.ts'
import type { FuzzTarget } from './target.ts'
import { cbor } from './targets/cbor.ts'
import { createTargets } from './targets/index.ts'

/** The same inputs in every run; STREAM_MANAGER_TEST_SEED and `npm run fuzz` take others. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? 1)

const targets = createTargets()
after(async () => {
  for (const target of targets) await target.close?.()
})

async function runTarget(t: TestContext, target: FuzzTarget): Promise<void> {
  const { inputs, elapsedMs, slowestMs, finding } = await fuzz(target, { seed: SEED })
  t.diagnostic(`seed ${SEED}: ${inputs} inputs in ${Math.round(elapsedMs)} ms, the slowest took ${slowestMs} ms`)
  assert.ok(finding === undefined, finding && describeFinding(finding))
}

for (const target of targets) {
  it(`a short run of ${target.name} finds nothing`, (t) => runTarget(t, target))
}

describe('the fuzzer', () => {
  it('holds nothing against the CBOR decoder that only the library cannot read: text in pieces', async () => {
    await cbor.run(Buffer.from('bf61617f69647469666965726177ffff', 'hex'))
  })

  /** Fails for every input with the byte 0x42. */
  const planted: FuzzTarget = {
    name: 'planted',
    inputCount: 1_000,
    generate: (random) => random.bytes(40),
    run(input) {
      assert.ok(!input.includes(0x42), 'the planted bug')
    }
  }

  it('finds a planted bug, shortens its input, and names what shows it again', async (t) => {
    const { finding, inputs } = await fuzz(planted, { seed: 7 })
    assert.ok(finding !== undefined)
    t.after(() => rmSync(finding.file))
    assert.ok(inputs < 100)
    assert.equal(finding.input.toString('hex'), '42')
    assert.equal(readFileSync(finding.file, 'utf8'), '42\n')
    assert.match(describeFinding(finding), /the planted bug[^]*npm run fuzz -- --seed \d+ --count 1 planted/)
    const alone = await fuzz(planted, { seed: finding.seed, scale: 1 / planted.inputCount })
    assert.equal(alone.inputs, 1)
    assert.ok(alone.finding !== undefined, 'the seed of the input shows it at once')
  })

  it('makes the same inputs from the same seed', () => {
    for (const { generate } of targets) {
      assert.deepEqual(generate(createSeededRandom(5)), generate(createSeededRandom(5)))
    }
  })
})
