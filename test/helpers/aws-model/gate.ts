import type { ServerResponse } from 'node:http'
import type { ReceivedRequest } from '../scripted-server.ts'
import { checkRequest, type CheckedRequest } from './check-request.ts'
import { answerError, type ServiceError } from './errors.ts'
import { loadModel, type Model, type ServiceName } from './model.ts'
import { signatureProblem, type SignatureProblem, type TestKey } from './signature.ts'

/** Stands before a stand-in and refuses what the service would refuse, with the service's own words. */
export interface Gate {
  readonly model: Model
  /** What no request of the product should ever break, as sentences. Signatures are another matter: keys may end. */
  readonly violations: readonly string[]
  /** Errors with which requests were refused, by name, in order. */
  readonly refusals: readonly string[]
  /** Keys that are known now. */
  keys: readonly TestKey[]
  /** Where the service is; undefined: anywhere. */
  region: string | undefined
  /** How S3 tells that a bucket is in another region; both are seen. */
  elsewhere: 'AuthorizationHeaderMalformed' | 'PermanentRedirect'
  /** Time of the service, milliseconds since the epoch. */
  nowMs: () => number
  /** Members of a body that are let through though the model does not know them. */
  isAllowed: (path: string) => boolean
  /** @returns why the request is refused; undefined when it may be served */
  examine(request: ReceivedRequest): ServiceError | undefined
  /** Like `examine`, and answers. @returns true when the request is refused, and so answered */
  refuses(request: ReceivedRequest, response: ServerResponse): boolean
}

/** The keys with which most tests sign. */
export const TEST_KEYS: readonly TestKey[] = [{ accessKeyId: 'id', secretAccessKey: 'secret' }]

const MINUTE_MS = 60_000
/** https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html */
const SKEW_MS_MAX = 5 * MINUTE_MS
/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, RequestTimeTooSkewed */
const S3_SKEW_MS_MAX = 15 * MINUTE_MS

/** @param operations that the stand-in serves */
export function createGate(service: ServiceName, operations: readonly string[]): Gate {
  const model = loadModel(service, operations)
  const violations: string[] = []
  const refusals: string[] = []

  const examine = (request: ReceivedRequest): ServiceError | undefined => {
    const problem = signatureProblem(request, {
      service,
      region: gate.region,
      keys: gate.keys,
      nowMs: gate.nowMs(),
      skewMsMax: service === 's3' ? S3_SKEW_MS_MAX : SKEW_MS_MAX
    })
    if (problem !== undefined) {
      return service === 's3' ? s3SignatureError(problem, gate) : signatureError(problem)
    }
    const checked = checkRequest(model, request, gate.isAllowed)
    violations.push(...checked.violations.map(({ text }) => text))
    return checked.violations.length === 0 ? undefined : contentError(service, checked)
  }

  const gate: Gate = {
    model,
    violations,
    refusals,
    keys: TEST_KEYS,
    region: 'eu-central-1',
    elsewhere: 'AuthorizationHeaderMalformed',
    nowMs: () => Date.now(),
    isAllowed: () => false,
    examine(request) {
      const error = examine(request)
      if (error !== undefined) refusals.push(error.name)
      return error
    },
    refuses(request, response) {
      // Clients learn the time of the service from its answers.
      response.setHeader('date', new Date(gate.nowMs()).toUTCString())
      const error = gate.examine(request)
      if (error !== undefined) answerError(model, error, response)
      return error !== undefined
    }
  }
  return gate
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html */
function signatureError(problem: SignatureProblem): ServiceError {
  const invalid = (message: string): ServiceError => ({ name: 'InvalidSignatureException', status: 403, message })
  switch (problem) {
    case 'missing':
      return { name: 'MissingAuthenticationTokenException', status: 400, message: 'Missing Authentication Token' }
    case 'malformed':
      return { name: 'IncompleteSignatureException', status: 400, message: 'Authorization header requires more' }
    case 'unknownKey':
    case 'invalidToken':
      return {
        name: 'UnrecognizedClientException',
        status: 403,
        message: 'The security token included in the request is invalid.'
      }
    case 'expiredToken':
      return {
        name: 'ExpiredTokenException',
        status: 403,
        message: 'The security token included in the request is expired'
      }
    case 'tooLate':
      return invalid('Signature expired: it is now earlier than the time of the server - 5 min.')
    case 'tooEarly':
      return invalid('Signature not yet current: it is still later than the time of the server + 5 min.')
    case 'wrongRegion':
      return invalid('Credential should be scoped to a valid region.')
    case 'wrongService':
      return invalid('Credential should be scoped to correct service.')
    case 'mismatch':
    case 'otherContent':
      return invalid('The request signature we calculated does not match the signature you provided.')
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function s3SignatureError(
  problem: SignatureProblem,
  { region = '', elsewhere }: Pick<Gate, 'region' | 'elsewhere'>
): ServiceError {
  switch (problem) {
    case 'missing':
      return { name: 'AccessDenied', status: 403, message: 'Access Denied' }
    case 'malformed':
    case 'wrongService':
      return { name: 'AuthorizationHeaderMalformed', status: 400, message: 'The authorization header is malformed' }
    case 'wrongRegion': {
      const headers = { 'x-amz-bucket-region': region }
      if (elsewhere === 'PermanentRedirect') {
        const message = 'The bucket you are attempting to access must be addressed using the specified endpoint.'
        return { name: elsewhere, status: 301, message, fields: { Endpoint: `s3.${region}.amazonaws.com` }, headers }
      }
      const message = `The authorization header is malformed; the region is wrong; expecting '${region}'`
      return { name: elsewhere, status: 400, message, fields: { Region: region }, headers }
    }
    case 'unknownKey':
      return {
        name: 'InvalidAccessKeyId',
        status: 403,
        message: 'The AWS Access Key Id you provided does not exist in our records.'
      }
    case 'invalidToken':
      return { name: 'InvalidToken', status: 400, message: 'The provided token is malformed or otherwise invalid.' }
    case 'expiredToken':
      return { name: 'ExpiredToken', status: 400, message: 'The provided token has expired.' }
    case 'tooEarly':
    case 'tooLate':
      return {
        name: 'RequestTimeTooSkewed',
        status: 403,
        message: 'The difference between the request time and the current time is too large.'
      }
    case 'mismatch':
      return {
        name: 'SignatureDoesNotMatch',
        status: 403,
        message: 'The request signature we calculated does not match the signature you provided.'
      }
    case 'otherContent':
      return {
        name: 'XAmzContentSHA256Mismatch',
        status: 400,
        message: "The provided 'x-amz-content-sha256' header does not match what was computed."
      }
  }
}

/** How a service names a request that breaks its rules. */
function contentError(service: ServiceName, { operation, violations }: CheckedRequest): ServiceError {
  const message = violations.map(({ text }) => text).join(', ')
  const isForm = violations.some(({ kind }) => kind === 'form')
  if (operation === undefined) {
    const name = service === 's3' ? 'MethodNotAllowed' : 'UnknownOperationException'
    return { name, status: service === 's3' ? 405 : 404, message }
  }
  switch (service) {
    case 'kinesis':
      return { name: isForm ? 'SerializationException' : 'ValidationException', status: 400, message }
    case 'iotsitewise':
    case 'iotanalytics':
      return { name: isForm ? 'SerializationException' : 'InvalidRequestException', status: 400, message }
    case 's3':
      return { name: isForm ? 'InvalidRequest' : 'InvalidArgument', status: 400, message }
  }
}
