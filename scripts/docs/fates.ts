import { failureOf } from '../../component/sinks/iot-analytics/sink.ts'
import { readErrorEntries as readAnalyticsErrors } from '../../component/sinks/iot-analytics/request.ts'
import { kinesisFailure } from '../../component/sinks/kinesis/errors.ts'
import { readResults } from '../../component/sinks/kinesis/request.ts'
import { s3Failure } from '../../component/sinks/s3/errors.ts'
import { readErrorEntries as readSiteWiseErrors, requestFailureOf } from '../../component/sinks/sitewise/answer.ts'

/** What a failure means for messages, in the words of docs/export-failures.md. */
export const FATES = {
  repeat: 'repeated for ever',
  slower: 'repeated for ever, after a rest',
  skip: 'the message is skipped',
  isolate: 'the batch is halved until the message is alone, which is skipped',
  conflict: 'sent alone up to 5 times, then skipped',
  taskFails: 'the task ends with `Failure`',
  restart: 'the upload begins anew, up to 5 times',
  otherRegion:
    "the upload goes to the bucket's region, once; where the answer does not name it: the task ends with `Failure`",
  wait: 'nothing is sent; messages stay until retention removes them'
} as const

export type Fate = keyof typeof FATES

/** Asks the program what an error that answers a whole request, or a code for one message, means. */
export interface Judge {
  /** @param name of the error; @param message the service's text; @param status of the answer */
  ofRequest(name: string, message: string, status: number): Fate
  ofMessage(code: string): Fate
}

const errorNamed = (name: string, message: string, status: number): Error =>
  Object.assign(new Error(message), { name, Code: name, $metadata: { httpStatusCode: status } })

const kinesis: Judge = {
  ofRequest(name, message, status) {
    const { kind } = kinesisFailure(errorNamed(name, message, status), 'stream')
    return { tooLarge: 'isolate', throttled: 'slower', other: 'repeat' }[kind] as Fate
  },
  ofMessage(code) {
    const results = readResults([{ ErrorCode: code, ErrorMessage: '' }], 1)
    if (results?.failed.length !== 1) throw new Error(`${code} counts as stored`)
    return results.throttled.length === 1 ? 'slower' : 'repeat'
  }
}

const sitewise: Judge = {
  ofRequest(name, message, status) {
    const { kind } = requestFailureOf(errorNamed(name, message, status))
    return { failed: 'repeat', conflict: 'conflict', rejected: 'isolate' }[kind] as Fate
  },
  ofMessage(code) {
    const error = { entryId: 'id', errors: [{ errorCode: code, errorMessage: '', timestamps: [] }] }
    const fates = readSiteWiseErrors([error as never], [{ id: 'id', index: 0, sequenceNumber: 0, address: '' }])
    const kind = fates?.[0]?.kind
    if (kind === undefined || kind === 'accepted') throw new Error(`${code} counts as accepted`)
    return { failed: 'repeat', conflict: 'conflict', rejected: 'skip' }[kind] as Fate
  }
}

const iotAnalytics: Judge = {
  ofRequest: (name, message, status) =>
    failureOf(errorNamed(name, message, status), 0).kind === 'rejected' ? 'isolate' : 'repeat',
  ofMessage(code) {
    const errors = readAnalyticsErrors(
      [{ messageId: 'id', errorCode: code }],
      [{ index: 0, message: { messageId: 'id', payload: Buffer.alloc(1) } }]
    )
    return errors?.rejected.length === 1 ? 'skip' : 'repeat'
  }
}

const REGION_HERE = 'eu-west-1'
/** The answer that names another region. */
const STATUS_MOVED = 301

const s3: Judge = {
  ofRequest(name, message, status) {
    const error = errorNamed(name, message, status)
    const isElsewhere = status === STATUS_MOVED
    const { kind } = s3Failure(isElsewhere ? Object.assign(error, { Region: 'eu-central-1' }) : error, REGION_HERE, 0)
    return { retry: 'repeat', final: 'taskFails', uploadLost: 'restart', otherRegion: 'otherRegion' }[kind] as Fate
  },
  ofMessage: (code) => {
    throw new Error(`S3 has no codes for single messages: ${code}`)
  }
}

export const JUDGES = { kinesis, sitewise, iotAnalytics, s3 } as const
