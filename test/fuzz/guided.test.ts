/** Runs in a process of its own: V8 counts the blocks only of code that it compiles after it was told to. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fuzzGuided } from './guided.ts'
import { describeFinding } from './runner.ts'
import { catalogue } from './targets/catalogue.ts'
import { cbor } from './targets/cbor.ts'
import { frames } from './targets/frames.ts'
import { segments } from './targets/segments.ts'

/** See fuzz.test.ts. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? 1)
/** Share of the inputs of a run without guidance: to look at the coverage takes time. */
const GUIDED_SCALE = 0.05

for (const target of [frames, cbor, catalogue, segments]) {
  it(`a short guided run of ${target.name} finds nothing`, async (t) => {
    const { inputs, kept, finding } = await fuzzGuided(target, { seed: SEED, scale: GUIDED_SCALE })
    t.diagnostic(`seed ${SEED}: ${inputs} inputs, of which ${kept.length} reached new code`)
    assert.ok(finding === undefined, finding && describeFinding(finding))
    assert.ok(kept.length > 0)
  })
}
