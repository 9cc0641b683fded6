import { describeError, Fault } from '../base/fault.ts'
import { fail, type FailureKind, type Result } from '../model/failure.ts'

/**
 * Hands the outcome of asynchronous work to `done`. A fault of the surroundings becomes a failure of kind `onFault`;
 * anything else thrown is a bug and ends the process as an unhandled rejection.
 */
export function settle<Value>(
  work: Promise<Result<Value>>,
  done: (result: Result<Value>) => void,
  onFault: FailureKind = 'unknownFailure'
): void {
  void work.then(done, (error: unknown) => {
    if (!(error instanceof Fault)) throw error
    done(fail(onFault, describeError(error)))
  })
}
