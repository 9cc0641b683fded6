import { createClient, createDefaultClientConfig, model } from 'aws-iot-device-sdk-v2/dist/greengrasscoreipc.js'
import { RpcError, RpcErrorType } from 'aws-iot-device-sdk-v2/dist/eventstream_rpc.js'
import { describeError, Fault } from '../base/fault.ts'
import {
  ConnectRefused,
  NucleusError,
  type IpcConnection,
  type NucleusRequest,
  type NucleusResponse,
  type OpenConnection
} from './ipc.ts'

/*
 * The AWS IoT Device SDK as the transport. Importing this file loads the native code of aws-crt, which does not exist for
 * every architecture: it is to be imported lazily, with an answer for the case that it fails.
 */

type SdkClient = ReturnType<typeof createClient>

/** A refused acknowledgement, or the close of the connection by which nucleus lite refuses (greengrass 5.3). */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false
  return error.type === RpcErrorType.HandshakeError || error.type === RpcErrorType.NetworkError
}

/** The service's error is in a field of its own (greengrass 5.3). */
function toFault(operation: NucleusRequest['operation'], error: unknown): Fault {
  if (error instanceof RpcError && error.type === RpcErrorType.ServiceError) {
    const told = error.serviceError as { readonly _errorCode?: unknown } | undefined
    return new NucleusError(operation, typeof told?._errorCode === 'string' ? told._errorCode : 'UnknownError')
  }
  return new Fault(`the nucleus did not answer ${operation}: ${describeError(error)}`, error)
}

async function perform(client: SdkClient, { operation, payload }: NucleusRequest): Promise<NucleusResponse> {
  switch (operation) {
    case 'ValidateAuthorizationToken': {
      const { isValid } = (await client.validateAuthorizationToken(payload)) as { readonly isValid?: unknown }
      return typeof isValid === 'boolean' ? { isValid } : {}
    }
    case 'UpdateState':
      await client.updateState({ state: model.ReportedLifecycleState.RUNNING })
      return {}
    case 'UpdateConfiguration': {
      const timestamp = new Date(Math.round(payload.timestamp * 1000))
      await client.updateConfiguration({ ...payload, keyPath: [...payload.keyPath], timestamp })
      return {}
    }
    case 'PutComponentMetric': {
      const metrics = payload.metrics.map(({ name, value }) => ({ name, value, unit: model.MetricUnitType.BYTES }))
      await client.putComponentMetric({ metrics })
      return {}
    }
  }
}

/** The SDK leaves calls unsettled when the connection ends, so they are ended here. */
function connectionOf(client: SdkClient): IpcConnection {
  const inFlight = new Set<(reason: Fault) => void>()
  const ended = new Promise<Fault>((resolve) => {
    client.on('disconnection', () => {
      const reason = new Fault('the connection to the nucleus has ended')
      for (const reject of inFlight) reject(reason)
      inFlight.clear()
      resolve(reason)
    })
  })
  return {
    // The SDK keeps what comes with the acknowledgement to itself.
    token: undefined,
    ended,
    request: (request) =>
      new Promise((resolve, reject) => {
        inFlight.add(reject)
        perform(client, request)
          .then(resolve, (error: unknown) => reject(toFault(request.operation, error)))
          .finally(() => inFlight.delete(reject))
      }),
    close: () => void client.close().catch(() => undefined)
  }
}

/**
 * Connects through the AWS IoT Device SDK. Its clients live for one connection (greengrass 5.3).
 * @param socketPath path of the Unix stream socket
 */
export function openSdkConnection(socketPath: string): OpenConnection {
  return async (identity, signal) => {
    let client: SdkClient
    try {
      client = createClient({
        ...createDefaultClientConfig(),
        hostName: socketPath,
        connectTransform: ({ message }) => Promise.resolve({ ...message, payload: JSON.stringify(identity) })
      })
    } catch (error) {
      throw new Fault(`no connection to the nucleus can be made: ${describeError(error)}`, error)
    }
    const connection = connectionOf(client)
    let abort = (): void => undefined
    // The SDK leaves this call unsettled too when its client is closed meanwhile.
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(new Fault('the connection to the nucleus was given up'))
    })
    signal.addEventListener('abort', abort)
    try {
      if (signal.aborted) abort()
      await Promise.race([client.connect(), aborted])
      return connection
    } catch (error) {
      connection.close()
      if (isRefusal(error)) throw new ConnectRefused('the nucleus does not accept this component', error)
      throw new Fault(`the nucleus cannot be reached: ${describeError(error)}`, error)
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}
