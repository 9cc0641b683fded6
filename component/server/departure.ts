import { setMaxListeners } from 'node:events'

/** That a client has gone, for those who do something for it. */
export interface Departure {
  /** Aborted once the client has gone. */
  readonly signal: AbortSignal
  /** The client has gone; may be told again. */
  announce(): void
}

/** Made once: an error of its own would cost each connection more than all that it is asked. */
const GONE = new Error('the client has gone')

/** A signal is made only for those who ask for one: few connections have a request that waits. */
export function createDeparture(): Departure {
  let controller: AbortController | undefined
  let isGone = false
  return {
    get signal() {
      if (controller === undefined) {
        controller = new AbortController()
        setMaxListeners(0, controller.signal)
        if (isGone) controller.abort(GONE)
      }
      return controller.signal
    },
    announce() {
      isGone = true
      controller?.abort(GONE)
    }
  }
}
