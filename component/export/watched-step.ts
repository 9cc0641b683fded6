import type { Grant } from './slots.ts'
import type { RunStep } from './task.ts'

/**
 * Steps that tell their place when the service shows signs of life. What is waited for has to be the service: neither the
 * bandwidth that a body waits for nor what comes after the step, on our own disk.
 * @param grantOf the place of the step that begins now
 */
export function watchSteps(runStep: RunStep, grantOf: () => Grant | undefined): RunStep {
  return async (step, pace, signal) => {
    // Cleaning up takes no place.
    const grant = step.action === 'proceed' ? grantOf() : undefined
    grant?.progressed()
    const watchedPace = async (bytes: number, until: AbortSignal): Promise<void> => {
      grant?.hold()
      await pace(bytes, until)
      grant?.progressed()
    }
    const outcome = await runStep(step, watchedPace, signal, () => grant?.progressed())
    grant?.hold()
    return outcome
  }
}
