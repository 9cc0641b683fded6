/** Runs actions with the same key one after another; actions with different keys do not wait for each other. */
export interface KeyedLock {
  run<Value>(key: string, action: () => Promise<Value>): Promise<Value>
}

/** A lock that holds memory only for keys in use. */
export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>()
  return {
    async run(key, action) {
      const before = tails.get(key) ?? Promise.resolve()
      const result = before.then(action)
      const tail = result.catch(() => undefined)
      tails.set(key, tail)
      try {
        return await result
      } finally {
        if (tails.get(key) === tail) tails.delete(key)
      }
    }
  }
}
