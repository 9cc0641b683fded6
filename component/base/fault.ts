const MARK = Symbol.for('edge-stream-manager.Fault')

/**
 * A fault of the surroundings: a full disk, an unreachable endpoint, a failed system call. It is thrown where it happens
 * and translated at one edge; `message` is a sentence for an operator.
 */
export class Fault extends Error {
  /** The packed parts of the bundle have copies of this class; a fault of one is a fault in all of them. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this === Fault) return value instanceof Error && MARK in value
    return Function.prototype[Symbol.hasInstance].call(this, value)
  }

  override readonly name = 'Fault'

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
  }

  get [MARK](): true {
    return true
  }
}

/** The text of anything thrown, for a log field or an errorMessage. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
