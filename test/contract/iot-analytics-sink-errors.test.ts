import { after } from 'node:test'
import type { IotAnalyticsExport } from '../../component/model/export-definition.ts'
import { createIotAnalyticsSink } from '../../component/sinks/iot-analytics/sink.ts'
import type { ErrorClass } from '../helpers/aws-wire/error-class.ts'
import { MESSAGES, POISON, testErrors } from '../helpers/aws-wire/sink-errors.ts'
import { startWireExport } from '../helpers/aws-wire/wire-export.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createSeededRandom } from '../helpers/seeded-random.ts'
import { localIotAnalyticsClient, startStrictIotAnalytics } from '../helpers/strict-iot-analytics.ts'

/** Every error that the documentation names (behaviour 6.6). A missing channel is a matter of configuration. */
const REQUEST_ERRORS: Readonly<Record<string, ErrorClass>> = {
  InternalFailureException: 'wait',
  InvalidRequestException: 'skip',
  ResourceNotFoundException: 'wait',
  ServiceUnavailableException: 'wait',
  ThrottlingException: 'wait'
}

const definition: IotAnalyticsExport = { kind: 'iotAnalytics', identifier: 'i', iotChannel: 'channel' }

testErrors<Buffer>({
  service: 'iotanalytics',
  operation: 'BatchPutMessage',
  requestErrors: REQUEST_ERRORS,
  // The documentation names no codes of single messages: they are those of requests.
  messageErrors: REQUEST_ERRORS,
  // Of the body as such, in which everything is our own.
  others: [{ name: 'SerializationException', status: 400 }],
  isPoison: (payload) => payload.toString() === String(POISON),
  async start() {
    const cloud = await startStrictIotAnalytics()
    const client = localIotAnalyticsClient(cloud.server.origin)
    after(() => {
      client.config.requestHandler.destroy?.()
      return cloud.server.close()
    })
    const payloads = Array.from({ length: MESSAGES }, (_, number) => Buffer.from(String(number)))
    const random = createSeededRandom(1)
    const wire = startWireExport(definition, payloads, () =>
      createIotAnalyticsSink({ client, clock: createFakeClock(), random }, definition)
    )
    return { cloud, wire, arrived: () => cloud.kept.map((payload) => Number(payload.toString())) }
  }
})
