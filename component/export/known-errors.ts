/** What an error of an export means, in words for the person on site. */
export interface ErrorHelp {
  readonly meaning: string
  /** What to do: a sentence without a final dot. */
  readonly remedy: string
}

const CREDENTIALS: ErrorHelp = {
  meaning: 'the credentials are not accepted',
  remedy: 'set the clock of the device if it is wrong; else wait, since new credentials are fetched by themselves'
}
const CLOCK: ErrorHelp = {
  meaning: 'the signature is not accepted: most likely the clock of the device is wrong',
  remedy: 'set the clock and let it be kept by NTP; if it is right, look for credentials that were set by hand'
}
const BUSY: ErrorHelp = {
  meaning: 'the destination takes no more at this rate',
  remedy: 'wait; if it lasts, give the destination more capacity or send less'
}
const TROUBLE: ErrorHelp = {
  meaning: 'the service has a problem of its own',
  remedy: 'wait: it is tried again by itself'
}
const NO_LINE: ErrorHelp = {
  meaning: 'the destination cannot be reached',
  remedy: 'check network, firewall and proxy; `stream-manager doctor` says where the way ends'
}
const CERTIFICATE_TIME: ErrorHelp = {
  meaning: 'the certificate of the destination is over, or does not hold yet',
  remedy: 'set the clock of the device if it is wrong; else the destination needs another certificate'
}
const AUTHORITY: ErrorHelp = {
  meaning: 'the certificate of the destination is from nobody whom this device trusts',
  remedy:
    'if a private authority or a proxy that looks into TLS connections is meant to be there, add its root certificate to the file of the nucleus (rootCaPath), and let the user of this component read that'
}
const PROXY: ErrorHelp = {
  meaning: 'the proxy does not let the connection through',
  remedy: 'check address, user and password of the proxy in the configuration of the nucleus'
}
/** The proxy's status tells it from the others. */
export const PROXY_USER: ErrorHelp = {
  meaning: 'the proxy asks for a user and password, or for others than it was given',
  remedy: 'correct proxy.url, proxy.username and proxy.password in the configuration of the nucleus'
}
const BAD_MESSAGE: ErrorHelp = {
  meaning: 'a message is not what the destination can take, and was skipped',
  remedy: 'correct the program that appends it; `stream-manager tail` shows the messages'
}
const BAD_TASK: ErrorHelp = {
  meaning: 'an upload task cannot be done, and has failed for good',
  remedy: 'correct the task or its file, and append the task again'
}
const CHANGING_FILE: ErrorHelp = {
  meaning: 'the file changed, or its upload was removed, while it was being uploaded',
  remedy: 'write the file completely before its task is appended'
}
const KEY: ErrorHelp = {
  meaning: 'the encryption key of the stream cannot be used',
  remedy: 'allow kms:GenerateDataKey on the key in the role of the device, and enable the key'
}
const REDIRECTED: ErrorHelp = {
  meaning: 'the bucket is in another region than the device',
  remedy: 'use a bucket in the region of the device'
}
const SHOULD_NOT_BE: ErrorHelp = {
  meaning: 'the request is refused by the service',
  remedy: 'compare the names in the export definition with those of the destination'
}

/** The errors by their names, as `errorMessage` begins with them. docs/export-failures.md has more detail. */
export const KNOWN_ERRORS: readonly (readonly [names: string, help: ErrorHelp])[] = [
  [
    'ENOTFOUND EAI_AGAIN',
    {
      meaning: 'the name of the destination cannot be resolved',
      remedy: 'check network and DNS of the device, and region or URL for a typing error'
    }
  ],
  ['ECONNREFUSED ECONNRESET EHOSTUNREACH ENETUNREACH ETIMEDOUT EPIPE', NO_LINE],
  [
    'TimeoutError',
    { meaning: 'the destination does not answer in time', remedy: 'check the line; on a slow one lower batchSize' }
  ],
  ['CERT_HAS_EXPIRED CERT_NOT_YET_VALID', CERTIFICATE_TIME],
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_GET_ISSUER_CERT CERT_SIGNATURE_FAILURE CERT_UNTRUSTED INVALID_CA',
    AUTHORITY
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    {
      meaning: 'the certificate is that of another host',
      remedy: 'correct the URL or the endpoint; else look who answers in place of the destination'
    }
  ],
  [
    'EPROTO',
    {
      meaning: 'no TLS connection can be agreed on',
      remedy: 'check the port; look for a proxy or gateway that speaks no TLS there, or only an old version'
    }
  ],
  [
    'HttpError',
    {
      meaning: 'the server answered with a status that is no success',
      remedy: 'look at that server; for AWS destinations a proxy or a captive portal gave the answer'
    }
  ],
  [
    'InvalidResponse UpgradeError',
    {
      meaning: 'the answer does not fit the request',
      remedy: 'look for a proxy between device and service that changes answers'
    }
  ],
  ['ProxyError', PROXY],
  [
    'CredentialsError',
    {
      meaning: 'there are no credentials for AWS',
      remedy: 'check the token exchange service, its role and its policy; the device must have reached the cloud once'
    }
  ],
  [
    'Error',
    {
      meaning: 'the region is not known, or something unexpected happened',
      remedy: 'if the text says that the region is missing, set AWS_REGION, or awsRegion of the nucleus'
    }
  ],
  [
    'ExporterWorkerError',
    { meaning: 'the thread that sends has ended, and is started again', remedy: 'nothing; report it if it comes often' }
  ],
  ['AbortError', { meaning: 'the attempt was ended by a change of the definition or a stop', remedy: 'nothing' }],
  [
    'ResourceNotFoundException',
    {
      meaning: 'the destination does not exist in this account and region',
      remedy: 'create it, or correct its name in the export definition'
    }
  ],
  [
    'AccessDeniedException',
    {
      meaning: 'the role of the device may not write there',
      remedy:
        'allow it in the policy of the token exchange role: kinesis:PutRecords, iotsitewise:BatchPutAssetPropertyValue'
    }
  ],
  [
    'UnrecognizedClientException ExpiredTokenException IncompleteSignature ExpiredToken TokenRefreshRequired InvalidToken InvalidAccessKeyId MissingAuthenticationToken MissingAuthenticationTokenException OptInRequired NotAuthorized',
    CREDENTIALS
  ],
  ['InvalidSignatureException RequestExpired SignatureDoesNotMatch', CLOCK],
  [
    'RequestTimeTooSkewed',
    {
      meaning: 'the clock of the device differs from that of S3 by more than 15 minutes',
      remedy: 'set the clock and let it be kept by NTP; the uploads go on by themselves'
    }
  ],
  [
    'KMSAccessDeniedException KMSDisabledException KMSInvalidStateException KMSNotFoundException KMSOptInRequired KMSThrottlingException',
    KEY
  ],
  [
    'ProvisionedThroughputExceededException LimitExceededException ThrottlingException Throttling SlowDown RequestLimitExceeded TooManyRequests OperationAborted',
    BUSY
  ],
  [
    'InternalFailureException InternalFailure InternalError ServiceUnavailable ServiceUnavailableException InternalServerError TemporaryRedirect RequestTimeout IncompleteBody BadDigest InvalidDigest XAmzContentChecksumMismatch XAmzContentSHA256Mismatch ConflictingOperationException',
    TROUBLE
  ],
  [
    'InvalidArgumentException ValidationException ValidationError SerializationException DryRunOperationException',
    SHOULD_NOT_BE
  ],
  [
    'RecordTooLarge MessageTooLarge',
    { meaning: 'a message is larger than the destination takes, and was skipped', remedy: 'append smaller messages' }
  ],
  ['InvalidEntry TimestampOutOfRangeException InvalidRequestException', BAD_MESSAGE],
  [
    'RefusedTarget',
    {
      meaning: 'the URL leads to where exports may not go',
      remedy: 'use a URL outside of link-local and metadata addresses, without user and password'
    }
  ],
  [
    'InvalidTask InvalidInputUrl InvalidKey InputFileNotFound InputFileNotReadable InputFileNotAllowed InputFileShrunk EntityTooLarge KeyTooLongError InvalidArgument InvalidRequest EncryptionTypeMismatch InvalidWriteOffset TooManyParts MetadataTooLarge',
    BAD_TASK
  ],
  ['InputFileChanged UploadMismatch NoSuchUpload InvalidPart InvalidPartOrder EntityTooSmall', CHANGING_FILE],
  [
    'NoSuchBucket InvalidBucketName',
    {
      meaning: 'the bucket of an upload task does not exist, and the task has failed for good',
      remedy:
        'create the bucket, or correct its name in the task (`stream-manager tail` shows the tasks), and append the task again'
    }
  ],
  [
    'AccessDenied AllAccessDisabled AccountProblem',
    {
      meaning: 'the role of the device may not write to this bucket',
      remedy: 'allow s3:PutObject in the role and in the policy of the bucket, and append the task again'
    }
  ],
  [
    'PermanentRedirect Redirect AuthorizationHeaderMalformed IllegalLocationConstraintException IncorrectEndpoint',
    REDIRECTED
  ],
  [
    'ServiceDiscontinued',
    {
      meaning: 'AWS IoT Analytics has ended',
      remedy: 'remove the export; its messages stay until retention removes them'
    }
  ]
]
