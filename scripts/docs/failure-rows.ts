import type { Fate, JUDGES } from './fates.ts'

/** A row of docs/export-failures.md. */
export interface FailureRow {
  /** Names as `errorMessage` begins with them; one remedy holds for all. */
  readonly names: readonly string[]
  /** Cause and remedy, in a sentence or some without a final dot. */
  readonly remedy: string
  /** Text behind the name, where it is always the same; angle brackets vary. */
  readonly text?: string
  /**
   * Who says so: the service of the whole request (with a status, and a text that matters) or of single messages, which
   * the program is asked about; or the program itself, whose judgement is given.
   */
  readonly from:
    | { readonly kind: 'request'; readonly status: number; readonly message?: string }
    | { readonly kind: 'message' }
    | Fate
}

export interface FailureSection {
  readonly title: string
  readonly intro: string
  readonly judge: keyof typeof JUDGES | undefined
  readonly rows: readonly FailureRow[]
}

const request = (status: number, message?: string): FailureRow['from'] =>
  message === undefined ? { kind: 'request', status } : { kind: 'request', status, message }
const MESSAGE: FailureRow['from'] = { kind: 'message' }

const SERVER_ERROR = 'The service is in trouble: wait'
const RATE = 'Too much for a quota of the account: ask for a higher one, or send less'

export const EVERY_DESTINATION: FailureSection = {
  title: 'Every destination',
  intro: 'Nothing of this costs a message: the export goes on where it was.',
  judge: undefined,
  rows: [
    {
      names: ['ENOTFOUND', 'EAI_AGAIN'],
      from: 'repeat',
      remedy: 'The name of the host cannot be resolved: no network, no DNS, or a wrong region or URL'
    },
    {
      names: ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPIPE'],
      from: 'repeat',
      remedy: 'No connection, or it broke: check network, firewall and proxy'
    },
    {
      names: ['TimeoutError'],
      from: 'repeat',
      remedy: 'The destination does not answer in time, or the line is too slow: lower `batchSize` if it is a slow one'
    },
    {
      names: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
      from: 'repeat',
      remedy:
        "The certificate is not valid at this time by the device's clock: set that, or renew the certificate; a restart is not needed"
    },
    {
      names: [
        'SELF_SIGNED_CERT_IN_CHAIN',
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
      ],
      from: 'repeat',
      remedy:
        'The certificate is from an authority that is not trusted, such as a proxy that looks into TLS: where that is wanted, add its root certificate to the file `rootCaPath` of the nucleus (`GG_ROOT_CA_PATH`), which the user of the component has to be able to read; it is read again when it changes'
    },
    {
      names: ['ERR_TLS_CERT_ALTNAME_INVALID'],
      from: 'repeat',
      remedy: 'The certificate is that of another host: correct URL or endpoint, or look who answers in its place'
    },
    {
      names: ['EPROTO'],
      from: 'repeat',
      remedy: 'No TLS connection can be agreed on: a wrong port, or something in between that does not speak TLS there'
    },
    {
      names: ['HttpError'],
      text: 'status <status>',
      from: 'repeat',
      remedy: "The answer is not the service's own: a proxy or a captive portal gave it. For HTTP exports see below"
    },
    {
      names: ['InvalidResponse', 'UpgradeError'],
      from: 'repeat',
      remedy: 'The answer does not fit the request: something between device and service changes answers'
    },
    {
      names: ['ProxyError'],
      from: 'repeat',
      remedy:
        'Check proxy address, user and password in the configuration of the nucleus; with status 407 it is user or password'
    },
    {
      names: ['CredentialsError'],
      from: 'repeat',
      remedy:
        'No credentials: check the token exchange service, its role and policy, and that the device has reached the cloud once'
    },
    {
      names: ['Error'],
      text: 'Region is missing',
      from: 'repeat',
      remedy: 'Stand-alone: set `AWS_REGION`. Under a nucleus its configuration lacks `awsRegion`'
    },
    {
      names: ['ExporterWorkerError'],
      from: 'repeat',
      remedy: 'The thread that sends has ended and is started again; report it if it comes often'
    },
    {
      names: ['AbortError'],
      from: 'repeat',
      remedy: 'The server stops, or the definition was changed: nothing to do'
    }
  ]
}

export const KINESIS: FailureSection = {
  title: 'Kinesis Data Streams',
  intro: 'The answer to `PutRecords` has a result for each record; only those that failed are sent again.',
  judge: 'kinesis',
  rows: [
    {
      names: ['ResourceNotFoundException'],
      text: "export stream <kinesisStreamName> doesn't exist",
      from: request(400),
      remedy: 'Create the stream in the account and region of the device, or correct `kinesisStreamName`'
    },
    {
      names: ['AccessDeniedException'],
      from: request(400),
      remedy: 'Allow `kinesis:PutRecords` on the stream in the role of the device'
    },
    {
      names: [
        'UnrecognizedClientException',
        'ExpiredTokenException',
        'InvalidSignatureException',
        'IncompleteSignature'
      ],
      from: request(400),
      remedy: 'Credentials are void, or the clock is wrong: they are fetched again by themselves; set the clock'
    },
    {
      names: [
        'KMSAccessDeniedException',
        'KMSDisabledException',
        'KMSInvalidStateException',
        'KMSNotFoundException',
        'KMSOptInRequired'
      ],
      from: request(400),
      remedy: 'Allow `kms:GenerateDataKey` on the key of the stream, and enable the key'
    },
    {
      names: [
        'ProvisionedThroughputExceededException',
        'LimitExceededException',
        'ThrottlingException',
        'KMSThrottlingException'
      ],
      from: request(400),
      remedy: 'More shards, or on-demand capacity; allow `kinesis:ListShards`, so that each shard gets what it can take'
    },
    {
      names: ['InternalFailureException', 'ServiceUnavailable'],
      from: request(500),
      remedy: SERVER_ERROR
    },
    {
      names: ['InvalidArgumentException', 'ValidationException'],
      text: '... length less than or equal to <n>',
      from: request(400, 'Value failed to satisfy constraint: Member must have length less than or equal to 1048576'),
      remedy: 'A record is larger than the stream takes: raise its maximum record size, or append smaller messages'
    },
    {
      names: ['InvalidArgumentException', 'ValidationException', 'DryRunOperationException'],
      from: request(400, 'another reason'),
      remedy: 'The request is refused for another reason than size: correct `kinesisStreamName`, else report it'
    },
    {
      names: ['HttpError'],
      text: 'status 413',
      from: request(413),
      remedy: 'An endpoint or proxy takes only smaller requests: 5 MiB are tried, then each message is tried alone'
    },
    {
      names: ['ProvisionedThroughputExceededException'],
      from: MESSAGE,
      remedy: 'The shard is at its limit, perhaps because others write to it too: more shards'
    },
    { names: ['InternalFailure'], from: MESSAGE, remedy: SERVER_ERROR },
    {
      names: ['RecordTooLarge'],
      text: 'a record of <n> bytes',
      from: 'skip',
      remedy: 'No stream takes a record of more than 10 MiB: append smaller messages'
    }
  ]
}

export const SITEWISE: FailureSection = {
  title: 'IoT SiteWise',
  intro:
    'Every message is one entry of a request and has a fate of its own. The text of the service is followed by the property ' +
    'that it is about, such as `(alias /line/1/speed)`.',
  judge: 'sitewise',
  rows: [
    {
      names: ['InvalidEntry'],
      text: '<what>',
      from: 'skip',
      remedy: 'The message is no entry that the service could accept: correct the program that appends it'
    },
    {
      names: ['TimestampOutOfRangeException'],
      text: 'older than 7 days (<property>)',
      from: 'skip',
      remedy: 'The message waited too long, or the clock of its program is wrong; the service takes nothing older'
    },
    {
      names: ['TimestampOutOfRangeException'],
      from: MESSAGE,
      remedy: 'Older than 7 days or more than 10 minutes ahead: check the clock of the program'
    },
    {
      names: ['ResourceNotFoundException'],
      from: MESSAGE,
      remedy: 'There is no such property: create it, or set its alias, before its values are exported'
    },
    {
      names: ['InvalidRequestException'],
      from: MESSAGE,
      remedy: 'Mostly a value of another type than the property: correct the program'
    },
    {
      names: ['ConflictingOperationException'],
      from: MESSAGE,
      remedy: 'The property is written to, or its model is changed, at the same time: nothing, unless it goes on'
    },
    {
      names: ['AccessDeniedException'],
      from: MESSAGE,
      remedy: 'Allow `iotsitewise:BatchPutAssetPropertyValue` on the asset or time series'
    },
    {
      names: ['ThrottlingException', 'LimitExceededException'],
      from: MESSAGE,
      remedy: RATE
    },
    {
      names: ['InternalFailureException', 'ServiceUnavailableException'],
      from: MESSAGE,
      remedy: SERVER_ERROR
    },
    {
      names: ['InvalidRequestException', 'SerializationException', 'ValidationError', 'ValidationException'],
      from: request(400),
      remedy: 'One entry spoils the request: it is looked for, and skipped; correct the program that appended it'
    },
    {
      names: ['HttpError'],
      text: 'status 413',
      from: request(413),
      remedy: 'One entry is too large: append less in one message'
    },
    {
      names: ['ConflictingOperationException'],
      from: request(409),
      remedy: 'As for a single entry'
    },
    {
      names: ['ResourceNotFoundException', 'AccessDeniedException'],
      from: request(404),
      remedy: 'Check region and role: `iotsitewise:BatchPutAssetPropertyValue`'
    },
    {
      names: ['UnrecognizedClientException', 'ExpiredTokenException', 'InvalidSignatureException'],
      from: request(403),
      remedy: 'Credentials are void, or the clock is wrong: they are fetched again by themselves; set the clock'
    },
    { names: ['ThrottlingException', 'LimitExceededException'], from: request(429), remedy: RATE },
    { names: ['InternalFailureException', 'ServiceUnavailableException'], from: request(500), remedy: SERVER_ERROR }
  ]
}
