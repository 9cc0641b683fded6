/**
 * Lets one writer at a time change a log: appends and rolls, which their caller already keeps apart, and the copying
 * after a failed sync, which may begin at any moment.
 */
export class WriterGate {
  #tail: Promise<unknown> | undefined

  get isBusy(): boolean {
    return this.#tail !== undefined
  }

  /** Runs `action` when all that was begun before has ended; at once when there is nothing. */
  async run<Value>(action: () => Promise<Value>): Promise<Value> {
    const before = this.#tail
    const result = before === undefined ? action() : before.then(action)
    const tail = result.catch(() => undefined)
    this.#tail = tail
    try {
      return await result
    } finally {
      if (this.#tail === tail) this.#tail = undefined
    }
  }
}
