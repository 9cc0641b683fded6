import { connectSdk, sdkObject, type SdkClient } from '../../helpers/sdk-client.ts'
import { APPEND_STREAM, type Job, makePayload, READ_STREAM, type Sample, type Work } from '../job.ts'
import { createMeter, measureFor } from './meter.ts'

type SdkWork = Extract<Work, { kind: 'sdk' }>

/** One call after the other; resolves with the messages that each of them moved. */
function createCall(client: SdkClient, { operation, batch, stored }: SdkWork): () => Promise<number> {
  if (operation === 'append') {
    const payload = makePayload()
    return async () => {
      await client.appendMessage(APPEND_STREAM, payload)
      return 1
    }
  }
  let next = 0
  return async () => {
    const options = sdkObject('ReadMessagesOptions', {
      DesiredStartSequenceNumber: next,
      MinMessageCount: batch,
      MaxMessageCount: batch,
      ReadTimeoutMillis: 0
    })
    next = (next + batch) % stored
    return (await client.readMessages(READ_STREAM, options)).length
  }
}

/** Appends or reads with the official client library, as an application would: awaiting the answers. */
export async function runSdk(work: SdkWork, job: Job, target: NonNullable<Job['target']>): Promise<Sample> {
  const meter = createMeter(target.pid, job.seconds)
  const call = createCall(await connectSdk(target.port), work)
  let isStopping = false
  const callForEver = async (): Promise<void> => {
    while (!isStopping) {
      const fromMs = performance.now()
      meter.add(await call())
      meter.addLatency(performance.now() - fromMs)
    }
  }
  const callers = Array.from({ length: work.inFlight }, callForEver)
  const sample = await Promise.race([measureFor(meter, job), failureOf(callers)])
  isStopping = true
  return sample
}

/** Rejects when one of the callers does. */
async function failureOf(callers: readonly Promise<void>[]): Promise<never> {
  await Promise.all(callers)
  throw new Error('the callers ended by themselves')
}
