import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { createIpcNucleus } from './ipc-nucleus.ts'
import { openSocketConnection } from './ipc-connection.ts'
import type { OpenConnection } from './ipc.ts'
import type { Nucleus } from './nucleus.ts'

export interface NucleusOptions {
  readonly socketPath: string
  /** The component's own token: a secret. */
  readonly token: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** The SDK where its native code can be loaded, else our own client: there is none for 32-bit ARM (greengrass 0.1). */
async function chooseTransport(socketPath: string, log: Logger): Promise<OpenConnection> {
  try {
    const { openSdkConnection } = await import('./sdk-connection.ts')
    return openSdkConnection(socketPath)
  } catch (error) {
    log.info('The AWS IoT Device SDK cannot be loaded here; the nucleus is reached without it')
    log.debug('Loading the AWS IoT Device SDK failed', { error: describeError(error) })
    return openSocketConnection(socketPath)
  }
}

/** Begins to connect to the nucleus; what is asked meanwhile waits for the connection, for a few seconds. */
export async function connectNucleus(options: NucleusOptions): Promise<Nucleus> {
  const open = await chooseTransport(options.socketPath, options.log)
  return createIpcNucleus({ ...options, open, openByName: openSocketConnection(options.socketPath) })
}
