/** Resolves in the next turn of the event loop, after I/O that is ready: lets a long computation be done in steps. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
