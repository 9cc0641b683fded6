import type { Random } from '../../component/base/random.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { measureCoverage, type Coverage } from './coverage.ts'
import { mutate, pick } from './mutate.ts'
import { failureOf, reportFinding, seedOf, type FuzzOptions, type FuzzReport } from './runner.ts'
import type { FuzzTarget } from './target.ts'

/** Inputs between two looks at the coverage, which take longer than most inputs. */
const BATCH_INPUTS = 128
/** Share of inputs that are made anew rather than from kept ones. */
const FRESH_SHARE = 0.2

export interface GuidedReport extends FuzzReport {
  /** Inputs that reached code which no earlier one had reached. */
  readonly kept: readonly Buffer[]
  readonly functionCount: number
}

/**
 * Inputs that reach new code are changed further, so that later ones get deeper than chance alone would.
 * @param program part of the URLs of the scripts whose code counts
 */
export async function fuzzGuided(
  target: FuzzTarget,
  options: FuzzOptions,
  program = '/component/'
): Promise<GuidedReport> {
  const { seed, msPerTarget, scale = 1, watch } = options
  const count = msPerTarget === undefined ? Math.max(1, Math.round(target.inputCount * scale)) : Infinity
  const startMs = performance.now()
  const random = createSeededRandom(seed)
  const coverage = measureCoverage(program)
  const kept: Buffer[] = []
  let inputs = 0
  let slowestMs = 0
  let finding: FuzzReport['finding']

  /** @returns whether all inputs did no harm */
  const runAll = async (batch: readonly Buffer[]): Promise<boolean> => {
    for (const input of batch) {
      const beginMs = performance.now()
      watch?.(target.name, seedOf(seed, inputs))
      const failure = await failureOf(target, input)
      inputs += 1
      slowestMs = Math.max(slowestMs, performance.now() - beginMs)
      if (failure === undefined) continue
      finding = await reportFinding(target, seed, input, failure)
      return false
    }
    return true
  }

  try {
    while (inputs < count && performance.now() - startMs < (msPerTarget ?? Infinity)) {
      const batch = Array.from({ length: Math.min(BATCH_INPUTS, count - inputs) }, () =>
        makeInput(target, random, kept)
      )
      if (!(await runAll(batch))) break
      if (!coverage.hasGrown(false)) continue
      const keptBefore = kept.length
      if (!(await sift(batch, coverage, kept, runAll))) break
      // What does not show again, as the first use of something, is not looked for again.
      if (kept.length === keptBefore && (await runAll(batch))) coverage.hasGrown(true)
    }
  } finally {
    coverage.stop()
  }
  const elapsedMs = performance.now() - startMs
  const { functionCount } = coverage
  return { target: target.name, inputs, elapsedMs, slowestMs, finding, kept, functionCount }
}

function makeInput(target: FuzzTarget, random: Random, kept: readonly Buffer[]): Buffer {
  if (kept.length === 0 || random.fraction() < FRESH_SHARE) return target.generate(random)
  return mutate(random, pick(random, kept), { others: kept })
}

/** Keeps those of a batch that reach new code, by halving it. @returns false when an input did harm this time */
async function sift(
  batch: readonly Buffer[],
  coverage: Coverage,
  kept: Buffer[],
  runAll: (batch: readonly Buffer[]) => Promise<boolean>
): Promise<boolean> {
  if (!(await runAll(batch))) return false
  const isSingle = batch.length === 1
  if (!coverage.hasGrown(isSingle)) return true
  if (isSingle) {
    kept.push(...batch)
    return true
  }
  const middle = Math.ceil(batch.length / 2)
  const isFirstFine = await sift(batch.slice(0, middle), coverage, kept, runAll)
  return isFirstFine && (await sift(batch.slice(middle), coverage, kept, runAll))
}
