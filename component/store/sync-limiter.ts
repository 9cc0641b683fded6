/** Runs an action that syncs something once its turn has come. */
export type SyncLimiter = <Value>(action: () => Promise<Value>) => Promise<Value>

/**
 * At most `concurrentMax` syncs at a time over all logs, first come, first served: a slow disk must leave threads of
 * the pool to reads (reliability 3.1.9).
 */
export function createSyncLimiter(concurrentMax: number): SyncLimiter {
  let running = 0
  const waiting: (() => void)[] = []
  return async (action) => {
    if (running >= concurrentMax) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await action()
    } finally {
      // The place is handed over, so a newcomer cannot overtake.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
