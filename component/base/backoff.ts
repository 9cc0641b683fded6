/** How long to wait between attempts. */
export interface BackoffPolicy {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * The delay before the next attempt: exponential with jitter between a half and the whole of the step.
 * @param attempt how many attempts have failed so far, 1 or more
 * @param fraction a random number in [0, 1)
 * @returns milliseconds
 */
export function backoffDelayMs(policy: BackoffPolicy, attempt: number, fraction: number): number {
  const stepMs = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(attempt - 1, 40))
  return stepMs * (0.5 + fraction / 2)
}
