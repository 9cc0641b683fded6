/** A promise that the test settles. */
export interface PromiseGate {
  readonly promise: Promise<void>
  open(): void
  fail(error: Error): void
}

export function createPromiseGate(): PromiseGate {
  let open = (): void => undefined
  let fail: (error: Error) => void = () => undefined
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open: () => open(), fail: (error) => fail(error) }
}
