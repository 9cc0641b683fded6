import { DISCONTINUED } from '../../component/sinks/iot-analytics/limits.ts'
import type { FailureSection } from './failure-rows.ts'

const SERVER_ERROR = 'The service is in trouble: wait'

export const HTTP: FailureSection = {
  title: 'HTTP',
  intro: 'Any status from 200 to 299 is acceptance; redirects with 307 and 308 are followed, five at most.',
  judge: undefined,
  rows: [
    {
      names: ['HttpError'],
      text: 'status <status> <name>',
      from: 'repeat',
      remedy: 'The server does not accept the request: correct server or `uri`. `Retry-After` is kept to, up to 5 min'
    },
    {
      names: ['RefusedTarget'],
      text: '<what>',
      from: 'repeat',
      remedy:
        'The `uri`, or where it leads to, is not allowed: link-local and metadata addresses, the credential endpoint, credentials in the URL, other schemes than http and https'
    }
  ]
}

export const S3: FailureSection = {
  title: 'S3 tasks',
  intro:
    'A task that has failed makes room for the next one; append it again when the cause is gone. The same text is in its ' +
    '`Failure` status ([s3-tasks.md](s3-tasks.md)).',
  judge: 's3',
  rows: [
    {
      names: ['InvalidTask'],
      text: '<what>',
      from: 'taskFails',
      remedy: 'The message is no `S3ExportTaskDefinition`: correct the program'
    },
    {
      names: ['InvalidInputUrl'],
      text: '<what>',
      from: 'taskFails',
      remedy: '`inputUrl` is not `file:` and an absolute path'
    },
    {
      names: ['InvalidKey'],
      text: '<what>',
      from: 'taskFails',
      remedy: 'A placeholder that does not exist, or a key of more than 1,024 bytes'
    },
    {
      names: ['InputFileNotFound'],
      text: 'the input file does not exist',
      from: 'taskFails',
      remedy: 'Write the file before the task is appended, and delete it only after `Success`'
    },
    {
      names: ['InputFileNotReadable'],
      text: 'the input is not a file that can be read',
      from: 'taskFails',
      remedy: 'Let the user of the component (`ggc_user`, `gg_component`) read the file and enter its folders'
    },
    {
      names: ['InputFileNotAllowed'],
      text: 'the input file may not be uploaded',
      from: 'taskFails',
      remedy: 'It is protected, or not below `STREAM_MANAGER_S3_INPUT_ROOTS`'
    },
    {
      names: ['InputFileShrunk'],
      text: 'the file has become shorter',
      from: 'taskFails',
      remedy: 'Append the task when the file is complete'
    },
    {
      names: ['InputFileChanged'],
      text: 'the file has changed',
      from: 'restart',
      remedy: 'The file is being written to: append the task when it is complete'
    },
    {
      names: ['UploadMismatch'],
      from: 'restart',
      remedy: 'What S3 holds, or the file, is not what was sent: nothing to do, unless it comes again'
    },
    {
      names: ['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'],
      from: { kind: 'request', status: 404 },
      remedy: 'The unfinished upload is gone, for example by a lifecycle rule that is shorter than the upload takes'
    },
    {
      names: ['NoSuchBucket', 'InvalidBucketName'],
      from: { kind: 'request', status: 404 },
      remedy:
        'Create the bucket, or correct its name in the task (`stream-manager tail` shows the tasks), and append it again'
    },
    {
      names: ['AccessDenied', 'AllAccessDisabled', 'AccountProblem'],
      from: { kind: 'request', status: 403 },
      remedy: 'Allow `s3:PutObject` in the role, and in the policy of the bucket and of its key; append the task again'
    },
    {
      names: [
        'EntityTooLarge',
        'KeyTooLongError',
        'InvalidArgument',
        'InvalidRequest',
        'EncryptionTypeMismatch',
        'InvalidWriteOffset',
        'TooManyParts',
        'MetadataTooLarge'
      ],
      from: { kind: 'request', status: 400 },
      remedy: 'S3 will never accept this: the text says what; correct the task'
    },
    {
      names: [
        'PermanentRedirect',
        'Redirect',
        'AuthorizationHeaderMalformed',
        'IllegalLocationConstraintException',
        'IncorrectEndpoint'
      ],
      from: { kind: 'request', status: 301 },
      remedy: 'The bucket is in another region. It works, but one in the region of the device is faster and costs less'
    },
    {
      names: [
        'SlowDown',
        'Throttling',
        'ThrottlingException',
        'RequestLimitExceeded',
        'TooManyRequests',
        'OperationAborted'
      ],
      from: { kind: 'request', status: 400 },
      remedy: 'Many devices write under the same prefix of the bucket: put something of the device first in `key`'
    },
    {
      names: ['TemporaryRedirect'],
      from: { kind: 'request', status: 307 },
      remedy: 'The bucket is new, and its region not yet known everywhere: wait'
    },
    {
      names: ['InternalError', 'ServiceUnavailable'],
      from: { kind: 'request', status: 500 },
      remedy: SERVER_ERROR
    },
    {
      names: ['RequestTimeout', 'IncompleteBody'],
      from: { kind: 'request', status: 400 },
      remedy: 'The line is too slow or breaks: it goes on part by part'
    },
    {
      names: ['RequestTimeTooSkewed'],
      from: { kind: 'request', status: 403 },
      remedy:
        'The clock of the device differs by more than 15 minutes from that of S3: set it, and let it be kept by NTP; uploads go on by themselves'
    },
    {
      names: [
        'RequestExpired',
        'ExpiredToken',
        'TokenRefreshRequired',
        'InvalidToken',
        'InvalidAccessKeyId',
        'SignatureDoesNotMatch'
      ],
      from: { kind: 'request', status: 403 },
      remedy: 'Credentials are void, or the clock is wrong: they are fetched again by themselves; set the clock'
    },
    {
      names: ['BadDigest', 'InvalidDigest', 'XAmzContentChecksumMismatch', 'XAmzContentSHA256Mismatch'],
      from: { kind: 'request', status: 400 },
      remedy: 'Bytes were changed on the way, or the file is being written to'
    }
  ]
}

export const IOT_ANALYTICS: FailureSection = {
  title: 'IoT Analytics',
  intro: 'For endpoints that stand in for the service, which has ended.',
  judge: 'iotAnalytics',
  rows: [
    {
      names: ['ServiceDiscontinued'],
      text: DISCONTINUED.slice(DISCONTINUED.indexOf(':') + 2),
      from: 'wait',
      remedy: 'Remove the export; see [iot-analytics.md](iot-analytics.md) for what takes its place'
    },
    {
      names: ['MessageTooLarge'],
      text: 'a message of <n> bytes',
      from: 'skip',
      remedy: 'A message may have 128 KiB: append smaller ones'
    },
    {
      names: ['InvalidRequestException'],
      from: { kind: 'message' },
      remedy: 'The endpoint refuses this message: correct the program'
    },
    {
      names: [
        'ResourceNotFoundException',
        'ThrottlingException',
        'InternalFailureException',
        'ServiceUnavailableException'
      ],
      from: { kind: 'message' },
      remedy: 'Create the channel, or wait'
    },
    {
      names: ['InvalidRequestException', 'ValidationError', 'ValidationException'],
      from: { kind: 'request', status: 400 },
      remedy: 'One message spoils the request: it is looked for, and skipped'
    },
    {
      names: ['HttpError'],
      text: 'status 413',
      from: { kind: 'request', status: 413 },
      remedy: 'A message is too large for the endpoint'
    },
    {
      names: ['ResourceNotFoundException'],
      from: { kind: 'request', status: 404 },
      remedy: 'There is no such channel: create it, or correct `iotChannel`'
    },
    {
      names: ['ThrottlingException', 'InternalFailureException', 'ServiceUnavailableException'],
      from: { kind: 'request', status: 500 },
      remedy: SERVER_ERROR
    }
  ]
}
