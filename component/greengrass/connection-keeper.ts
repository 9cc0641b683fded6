import { backoffDelayMs, type BackoffPolicy } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import {
  COMPONENT_NAME,
  ConnectRefused,
  Unsent,
  type Identity,
  type IpcConnection,
  type NucleusRequest,
  type NucleusResponse,
  type OpenConnection
} from './ipc.ts'

/** A client waits ten seconds for its handshake, of which the nucleus gets a half (reliability 5.5, AU3). */
export const REQUEST_TIMEOUT_MS = 5_000
/** A connection attempt, and so the longest time until the next one. */
const CONNECT_TIMEOUT_MS = 5_000
/** Pauses between attempts. An attempt costs next to nothing, and new clients wait for it. */
const RECONNECT: BackoffPolicy = { firstMs: 250, maxMs: 5_000 }
/** A connection that lived this long has nothing to do with the failures before it. */
const HEALTHY_AFTER_MS = 10_000

export interface ConnectionKeeperOptions {
  readonly open: OpenConnection
  /** For a process that shows its name: such a connection must tell the token that comes with it. */
  readonly openByName: OpenConnection
  /** The component's own token: a secret. */
  readonly token: string
  /** Called with the token that takes the place of a void one: whatever else the token is shown to wants to see it. */
  readonly renewed: (token: string) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Called whenever a connection was lost: what the nucleus said before may not hold after its restart. */
  readonly lost: () => void
}

/** One connection to the nucleus at a time, made anew for ever. */
export interface ConnectionKeeper {
  /**
   * Has an operation done. Waits for a connection attempt that is under way; between attempts it fails at once.
   * @throws NucleusError when the nucleus did not do it; Unsent when it cannot be reached; Fault when it gave no answer
   */
  request(request: NucleusRequest): Promise<NucleusResponse>
  close(): void
}

/** Settles like `work`, or rejects after `delayMs`, before which `expired` is called. */
function within<Value>(clock: Clock, delayMs: number, work: Promise<Value>, expired?: () => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(delayMs, () => {
      reject(new Fault('the nucleus did not answer in time'))
      expired?.()
    })
    void work.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** Starts to connect at once. */
export function createConnectionKeeper(options: ConnectionKeeperOptions): ConnectionKeeper {
  const { clock, log } = options
  const closing = new AbortController()
  /** A connection, or the attempt to make one; undefined in the pauses between attempts. */
  let current: Promise<IpcConnection> | undefined
  let reason = new Fault('the nucleus cannot be reached')
  let failures = 0
  /** What the operator was told last; attempts that fail alike are not worth a line. */
  let told: 'connected' | 'unreachable' | 'refused' = 'connected'
  let timer: Timer | undefined
  let token = options.token

  const openAs = async (open: OpenConnection, identity: Identity): Promise<IpcConnection> => {
    const giveUp = new AbortController()
    const abort = (): void => giveUp.abort()
    closing.signal.addEventListener('abort', abort)
    const opening = open(identity, giveUp.signal)
    try {
      return await within(clock, CONNECT_TIMEOUT_MS, opening, abort)
    } catch (error) {
      // One that opens after all is not wanted any more.
      void opening.then((connection) => connection.close()).catch(() => undefined)
      throw error
    } finally {
      closing.signal.removeEventListener('abort', abort)
    }
  }

  /** After a restart of nucleus lite the token is void, and the process may still show itself by name (greengrass 5.4). */
  const open = async (): Promise<IpcConnection> => {
    try {
      return await openAs(options.open, { authToken: token })
    } catch (error) {
      if (!(error instanceof ConnectRefused)) throw error
      const connection = await openAs(options.openByName, { componentName: COMPONENT_NAME })
      log.info('The nucleus does not know this process by its token any more, but by its name')
      if (connection.token !== undefined) {
        token = connection.token
        options.renewed(token)
      }
      return connection
    }
  }

  const attempt = async (): Promise<IpcConnection> => {
    const connection = await open()
    if (closing.signal.aborted) {
      connection.close()
      throw new Fault('the connection to the nucleus was closed')
    }
    const sinceMs = clock.monotonicMs()
    log.info('Connected to the nucleus')
    told = 'connected'
    void connection.ended.then((fault) => onLost(fault, clock.monotonicMs() - sinceMs))
    return connection
  }

  const tellOutage = (fault: Fault): void => {
    const outage = fault instanceof ConnectRefused ? 'refused' : 'unreachable'
    if (outage === told) {
      log.debug('There is still no connection to the nucleus', { reason: fault.message })
      return
    }
    told = outage
    if (outage === 'refused')
      log.error('The nucleus does not accept this component; new clients are refused until it is restarted')
    else
      log.warn('There is no connection to the nucleus; admitted clients stay, new ones are refused until it is back', {
        reason: fault.message
      })
  }

  const pause = (fault: Fault): void => {
    current = undefined
    reason = fault
    failures += 1
    tellOutage(fault)
    timer = clock.after(backoffDelayMs(RECONNECT, failures, options.random.fraction()), connect)
  }

  const onLost = (fault: Fault, livedMs: number): void => {
    if (closing.signal.aborted) return
    if (livedMs >= HEALTHY_AFTER_MS) failures = 0
    options.lost()
    pause(fault)
  }

  const connect = (): void => {
    current = attempt()
    current.catch((error: unknown) => {
      if (closing.signal.aborted) return
      if (!(error instanceof Fault)) throw error
      pause(error)
    })
  }

  connect()
  return {
    async request(request) {
      if (current === undefined) throw new Unsent(reason.message, reason)
      const startMs = clock.monotonicMs()
      const connection = await within(clock, REQUEST_TIMEOUT_MS, current).catch((error: unknown) => {
        throw error instanceof Fault ? new Unsent(error.message, error) : error
      })
      const remainingMs = Math.max(0, REQUEST_TIMEOUT_MS - (clock.monotonicMs() - startMs))
      // Whatever keeps the nucleus from answering here would keep it from answering the next one.
      return within(clock, remainingMs, connection.request(request), () => connection.close())
    },
    close() {
      closing.abort()
      timer?.cancel()
      reason = new Fault('the connection to the nucleus was closed')
      void current?.then((connection) => connection.close()).catch(() => undefined)
      current = undefined
    }
  }
}
