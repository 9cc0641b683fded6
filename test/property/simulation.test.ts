import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeFinding, fuzz } from '../fuzz/runner.ts'
import { simulation } from '../fuzz/targets/simulation.ts'

/** STREAM_MANAGER_TEST_SEED takes other lives; `npm run fuzz -- simulation` takes as many as one likes. */
const SEED = Number(process.env['STREAM_MANAGER_TEST_SEED'] ?? 1)

it('keeps all promises whatever fails, and delivers everything once nothing fails', async (t) => {
  const { inputs, finding } = await fuzz(simulation, { seed: SEED })
  t.diagnostic(`seed ${SEED}: ${inputs} lives`)
  assert.ok(finding === undefined, finding && describeFinding(finding))
})
