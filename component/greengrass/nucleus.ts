/** A count that is added to a metric of the component, e.g. bytes since the last time (behaviour 12.1). */
export interface MetricIncrement {
  /** 1 to 32 bytes. */
  readonly name: string
  /** 0 or more. */
  readonly bytes: number
}

/** What became of increments. Only when the nucleus has `added` them, or it is `unknown` whether it has, are they not sent again. */
export type MetricsOutcome =
  | { readonly kind: 'added' }
  /** It answered that it did not add them; nucleus lite keeps no metrics (behaviour 2, rule 11). */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It was not asked: there is no connection now. */
  | { readonly kind: 'unsent' }
  /** It was asked and gave no answer. */
  | { readonly kind: 'unknown' }

/** What the server has to do with the Greengrass nucleus, whichever nucleus it is and however it is reached. */
export interface Nucleus {
  /**
   * Whether a token belongs to a component of this device.
   * @throws Fault when that cannot be found out now, which is something else than an invalid token (behaviour 2, rule 10)
   */
  validateToken(token: string): Promise<boolean>
  /**
   * Tells that this component serves, so that components which depend on it may start (behaviour 2, rule 4).
   * @throws Fault when the nucleus cannot be told now
   */
  reportRunning(): Promise<void>
  /**
   * Writes the port into the component's configuration, where other components read it (behaviour 2, rule 3).
   * @throws Fault when the nucleus does not take it, or not now
   */
  publishPort(port: number): Promise<void>
  /** Adds to metrics of the component. Never rejects. */
  putMetrics(increments: readonly MetricIncrement[]): Promise<MetricsOutcome>
  /**
   * Has the component's own token told, whenever another one has taken its place: a restart of nucleus lite voids all tokens,
   * also for the token exchange service (greengrass 5.4). To be called once.
   * @param renewed called with the new token, a secret; at once when there has been one already
   */
  followToken(renewed: (token: string) => void): void
  /** Ends the connection for good. */
  close(): void
}
