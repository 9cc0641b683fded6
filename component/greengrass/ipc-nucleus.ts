import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { createConnectionKeeper } from './connection-keeper.ts'
import { NucleusError, Unsent, type NucleusRequest, type OpenConnection } from './ipc.ts'
import type { Nucleus } from './nucleus.ts'
import { createTokenValidator } from './token-validator.ts'

/** The same trouble with validations is logged at most so often. */
const REPEAT_MS = 60_000

export interface IpcNucleusOptions {
  readonly open: OpenConnection
  /** The same for a process that shows its name, on nucleus lite. */
  readonly openByName: OpenConnection
  /** The component's own token: a secret. */
  readonly token: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Nucleus lite refuses a time without a fraction of a second, as it tells integers and floats apart. */
function secondsWithFraction(wallMs: number): number {
  const ms = Math.floor(wallMs)
  return (ms % 1000 === 0 ? ms + 1 : ms) / 1000
}

/** The nucleus over one connection at a time. Starts to connect at once. */
export function createIpcNucleus(options: IpcNucleusOptions): Nucleus {
  const { clock, log } = options
  let toldMs = -Infinity
  let renewedToken: string | undefined
  let follow: ((token: string) => void) | undefined
  const keeper = createConnectionKeeper({
    ...options,
    lost: () => validator.forget(),
    renewed(token) {
      renewedToken = token
      follow?.(token)
    }
  })

  const tellTrouble = (error: Fault): void => {
    if (clock.monotonicMs() - toldMs < REPEAT_MS) return
    toldMs = clock.monotonicMs()
    if (error instanceof NucleusError && error.code === 'UnauthorizedError')
      log.error(
        'The nucleus lets only the component aws.greengrass.StreamManager validate tokens; nobody can be admitted'
      )
    else log.warn('The token of a client could not be validated', { reason: error.message })
  }

  const ask = async (token: string): Promise<boolean> => {
    try {
      const { isValid } = await keeper.request({ operation: 'ValidateAuthorizationToken', payload: { token } })
      if (isValid === undefined) throw new Fault('the nucleus answered ValidateAuthorizationToken without a verdict')
      return isValid
    } catch (error) {
      if (error instanceof NucleusError && error.code === 'InvalidTokenError') return false
      if (error instanceof Fault) tellTrouble(error)
      throw error
    }
  }
  const validator = createTokenValidator({ clock, ask })

  const perform = async (request: NucleusRequest): Promise<void> => {
    await keeper.request(request)
  }

  return {
    validateToken: (token) => validator.validate(token),
    reportRunning: () => perform({ operation: 'UpdateState', payload: { state: 'RUNNING' } }),
    publishPort: (port) =>
      perform({
        operation: 'UpdateConfiguration',
        payload: { keyPath: [], timestamp: secondsWithFraction(clock.wallMs()), valueToMerge: { port } }
      }),
    async putMetrics(increments) {
      const metrics = increments.map(({ name, bytes }) => ({ name, unit: 'BYTES', value: bytes }) as const)
      try {
        await perform({ operation: 'PutComponentMetric', payload: { metrics } })
        return { kind: 'added' }
      } catch (error) {
        if (error instanceof NucleusError) return { kind: 'refused', reason: error.message }
        if (error instanceof Unsent) return { kind: 'unsent' }
        if (error instanceof Fault) return { kind: 'unknown' }
        throw error
      }
    },
    followToken(renewed) {
      follow = renewed
      if (renewedToken !== undefined) renewed(renewedToken)
    },
    close: () => keeper.close()
  }
}
