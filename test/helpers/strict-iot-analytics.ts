import { IoTAnalyticsClient } from '@aws-sdk/client-iotanalytics'
import { AwsRequestHandler, awsClientSettings, type CredentialSource } from '../../component/aws/index.ts'
import { answerJson, answerRestError } from './aws-json.ts'
import { createGate, type Gate } from './aws-model/gate.ts'
import { answerError, type ServiceError } from './aws-model/errors.ts'
import { startScriptedServer, type ScriptedServer } from './scripted-server.ts'

interface Body {
  readonly channelName: string
  readonly messages: readonly { readonly messageId: string; readonly payload: string }[]
}

/** A stand-in for IoT Analytics that is as strict as the service was. */
export interface StrictIotAnalytics {
  readonly server: ScriptedServer
  /** Checks signature and form of each request. */
  readonly gate: Gate
  /** Payloads of the accepted messages, in order. */
  readonly kept: readonly Buffer[]
  /** All ids that ever came. */
  readonly ids: readonly string[]
  /** What no client should ever do. */
  readonly violations: readonly string[]
  /** Fails single messages: the error code by payload, or undefined. */
  failMessage: (payload: Buffer) => string | undefined
  /** Refuses the whole request when it holds such a payload. */
  isPoison: (payload: Buffer) => boolean
  /** The error with which such a request is refused. */
  poison: ServiceError
}

/** A client as the exporter makes it. */
export function localIotAnalyticsClient(
  endpoint: string,
  credentials: CredentialSource = () => Promise.resolve({ accessKeyId: 'id', secretAccessKey: 'secret' })
): IoTAnalyticsClient {
  return new IoTAnalyticsClient(
    awsClientSettings(
      {
        environment: { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL_IOTANALYTICS: endpoint },
        credentials,
        requestHandler: new AwsRequestHandler({}),
        userAgent: 'test/1'
      },
      'IOTANALYTICS'
    )
  )
}

export async function startStrictIotAnalytics(): Promise<StrictIotAnalytics> {
  const server = await startScriptedServer()
  const gate = createGate('iotanalytics', ['BatchPutMessage'])
  const kept: Buffer[] = []
  const ids: string[] = []
  const violations: string[] = []
  const strict: StrictIotAnalytics = {
    server,
    gate,
    kept,
    ids,
    get violations() {
      return [...gate.violations, ...violations]
    },
    failMessage: () => undefined,
    isPoison: () => false,
    poison: { name: 'InvalidRequestException', status: 400 }
  }
  server.script = [
    (request, response) => {
      if (gate.refuses(request, response)) return
      const body = JSON.parse(request.body.toString()) as Body
      const requestIds = body.messages.map(({ messageId }) => messageId)
      ids.push(...requestIds)
      if (new Set(requestIds).size < requestIds.length) {
        violations.push('ids are not unique')
        answerRestError('InvalidRequestException', 'ids are not unique')(request, response)
        return
      }
      if (body.messages.some(({ payload }) => strict.isPoison(Buffer.from(payload, 'base64')))) {
        answerError(gate.model, strict.poison, response)
        return
      }
      const batchPutMessageErrorEntries = body.messages.flatMap(({ messageId, payload }) => {
        const bytes = Buffer.from(payload, 'base64')
        const errorCode = strict.failMessage(bytes)
        if (errorCode === undefined) kept.push(bytes)
        return errorCode === undefined ? [] : [{ messageId, errorCode, errorMessage: 'told so' }]
      })
      answerJson({ batchPutMessageErrorEntries })(request, response)
    }
  ]
  return strict
}
