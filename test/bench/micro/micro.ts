/** A part of the server, measured in a loop. */
export interface MicroBenchmark {
  readonly name: string
  prepare(): Promise<PreparedBenchmark>
}

export interface PreparedBenchmark {
  /** Does the work at least so many times. @throws Error when it went wrong */
  run(iterations: number): Promise<void> | void
  close(): void
}
