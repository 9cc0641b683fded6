import { Simulation, SIMULATION_STEPS } from '../../helpers/simulation.ts'
import { below } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const SEED_BYTES = 4
const STEPS_MAX = 60
const FAULT_RATES = [0, 0.02, 0.1]

/**
 * Whole lives of a server: crashes, power cuts, failing disks and destinations, compared with what clients were told.
 *
 *     seed u32, then a byte for each step
 */
export const simulation: FuzzTarget = {
  name: 'simulation',
  inputCount: 150,
  generate: (random) =>
    Buffer.concat([random.bytes(SEED_BYTES), Buffer.from(random.bytes(5 + below(random, STEPS_MAX)))]),
  async run(input) {
    const seed = input.length < SEED_BYTES ? 0 : input.readUInt32LE()
    const world = await Simulation.start(seed, FAULT_RATES[seed % FAULT_RATES.length]!)
    for (const byte of input.subarray(SEED_BYTES)) await world.step(SIMULATION_STEPS[byte % SIMULATION_STEPS.length]!)
    await world.finish()
  }
}
