import type { Clock } from '../../base/clock.ts'
import { Fault } from '../../base/fault.ts'

/**
 * The outcome of `work`, or a Fault when it takes longer than `deadlineMs`: calls into a broken LMDB may never settle
 * (reliability F12). A late outcome is ignored.
 */
export function withDeadline<Value>(
  clock: Clock,
  deadlineMs: number,
  what: string,
  work: Promise<Value>
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(deadlineMs, () => {
      reject(new Fault(`${what} was not done within ${deadlineMs / 1000} s`))
    })
    const finish = (settle: () => void): void => {
      timer.cancel()
      settle()
    }
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error instanceof Error ? error : new Fault(String(error))))
    )
  })
}
