import { Fault } from '../base/fault.ts'

/** The only name whose component may validate tokens (behaviour 1.1). */
export const COMPONENT_NAME = 'aws.greengrass.StreamManager'

/** Who connects. By name works on nucleus lite alone, for a process of that component's unit (greengrass 5.1). */
export type Identity = { readonly authToken: string } | { readonly componentName: string }

/** An operation with its request, as greengrass 5.2 has them. */
export type NucleusRequest =
  | { readonly operation: 'ValidateAuthorizationToken'; readonly payload: { readonly token: string } }
  | { readonly operation: 'UpdateState'; readonly payload: { readonly state: 'RUNNING' } }
  | { readonly operation: 'UpdateConfiguration'; readonly payload: ConfigurationUpdate }
  | { readonly operation: 'PutComponentMetric'; readonly payload: { readonly metrics: readonly Metric[] } }

export interface ConfigurationUpdate {
  /** Path to the object that is merged into. */
  readonly keyPath: readonly string[]
  /** Seconds since the epoch. Nucleus lite refuses a number without a fraction. */
  readonly timestamp: number
  readonly valueToMerge: { readonly port: number }
}

export interface Metric {
  readonly name: string
  readonly unit: 'BYTES'
  readonly value: number
}

/** What answers say that anybody wants to know. */
export interface NucleusResponse {
  readonly isValid?: boolean
}

/** An authenticated connection to the nucleus. */
export interface IpcConnection {
  /** The token that nucleus lite has given to a process that showed its name. A secret. */
  readonly token: string | undefined
  /**
   * Has an operation done. There is no time limit here.
   * @throws NucleusError when the nucleus answers that it did not do it; Fault when the connection ends first
   */
  request(request: NucleusRequest): Promise<NucleusResponse>
  /** Resolves with the reason when the connection has ended, whoever ended it. */
  readonly ended: Promise<Fault>
  /** Ends the connection; what is in flight fails. */
  close(): void
}

/**
 * Connects and authenticates.
 * @param signal gives up; the promise may then stay unsettled
 * @throws ConnectRefused when the nucleus does not accept the identity; Fault when it cannot be reached
 */
export type OpenConnection = (identity: Identity, signal: AbortSignal) => Promise<IpcConnection>

/** The nucleus was reached, and did not accept who we say we are. */
export class ConnectRefused extends Fault {}

/** The nucleus was not asked, as there is no connection to it. */
export class Unsent extends Fault {}

/** The nucleus answered that it did not do what it was asked. Its own words are left out: they may repeat ours. */
export class NucleusError extends Fault {
  /** E.g. `InvalidTokenError`. */
  readonly code: string

  constructor(operation: NucleusRequest['operation'], code: string) {
    super(`the nucleus answered ${operation} with ${code}`)
    this.code = code
  }
}
