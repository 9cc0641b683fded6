import { IoTAnalyticsClient } from '@aws-sdk/client-iotanalytics'
import { AwsRequestHandler, awsClientSettings } from '../../component/aws/index.ts'
import { answerJson, answerRestError, isSignedFor } from './aws-json.ts'
import { startScriptedServer, type ReceivedRequest, type ScriptedServer } from './scripted-server.ts'

interface Body {
  readonly channelName: string
  readonly messages: readonly { readonly messageId: string; readonly payload: string }[]
}

/** A stand-in for IoT Analytics that is as strict as the service was. */
export interface StrictIotAnalytics {
  readonly server: ScriptedServer
  /** Payloads of the accepted messages, in order. */
  readonly kept: readonly Buffer[]
  /** All ids that ever came. */
  readonly ids: readonly string[]
  /** What no client should ever do. */
  readonly violations: readonly string[]
  /** Fails single messages: the error code by payload, or undefined. */
  failMessage: (payload: Buffer) => string | undefined
}

/** A client as the exporter makes it. */
export function localIotAnalyticsClient(endpoint: string): IoTAnalyticsClient {
  return new IoTAnalyticsClient(
    awsClientSettings(
      {
        environment: { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL_IOTANALYTICS: endpoint },
        credentials: () => Promise.resolve({ accessKeyId: 'id', secretAccessKey: 'secret' }),
        requestHandler: new AwsRequestHandler({}),
        userAgent: 'test/1'
      },
      'IOTANALYTICS'
    )
  )
}

/** Rules of the interface that a request breaks. */
function violationsOf(request: ReceivedRequest, { channelName, messages }: Body): string[] {
  const ids = messages.map(({ messageId }) => messageId)
  const rules: Record<string, boolean> = {
    'the method is POST': request.method === 'POST',
    'the path is /messages/batch': request.url === '/messages/batch',
    'the request is signed': isSignedFor(request, 'iotanalytics'),
    'there is a channel': channelName.length > 0,
    'there are 1 to 100 messages': messages.length >= 1 && messages.length <= 100,
    'ids are well formed': ids.every((id) => /^[\x20-\x7e]{1,128}$/.test(id)),
    'ids are unique': new Set(ids).size === ids.length,
    'no message has more than 128 KiB': messages.every(
      ({ payload }) => Buffer.from(payload, 'base64').length <= 131_072
    )
  }
  return Object.entries(rules).flatMap(([rule, isKept]) => (isKept ? [] : [rule]))
}

export async function startStrictIotAnalytics(): Promise<StrictIotAnalytics> {
  const server = await startScriptedServer()
  const kept: Buffer[] = []
  const ids: string[] = []
  const violations: string[] = []
  const strict: StrictIotAnalytics = { server, kept, ids, violations, failMessage: () => undefined }
  server.script = [
    (request, response) => {
      const body = JSON.parse(request.body.toString()) as Body
      const broken = violationsOf(request, body)
      violations.push(...broken)
      ids.push(...body.messages.map(({ messageId }) => messageId))
      if (broken.length > 0) {
        answerRestError('InvalidRequestException', broken.join(', '))(request, response)
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
