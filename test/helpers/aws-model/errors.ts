import * as iotAnalytics from '@aws-sdk/client-iotanalytics'
import * as iotSiteWise from '@aws-sdk/client-iotsitewise'
import * as kinesis from '@aws-sdk/client-kinesis'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { escapeXml } from './xml.ts'
import type { Model } from './model.ts'

/** An error of a service. */
export interface ServiceError {
  readonly name: string
  readonly status: number
  readonly message?: string
  /** More members of the answer, such as the region of a bucket. */
  readonly fields?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

type DescribedService = 'kinesis' | 'iotsitewise' | 'iotanalytics'

/** Schemas of errors stand under their name and a dollar sign in the clients. */
const CLIENTS: Readonly<Record<DescribedService, Readonly<Record<string, unknown>>>> = {
  kinesis,
  iotsitewise: iotSiteWise,
  iotanalytics: iotAnalytics
}
const STATUS_CLIENT = 400
const STATUS_SERVER = 500

/**
 * All errors that the documentation of an operation names. The client of the product is asked, not a list of our own: an
 * error that an update of it brings makes the tables of the tests incomplete.
 */
export function documentedErrors(service: DescribedService, operation: string): readonly ServiceError[] {
  const file = `@aws-sdk/client-${service}/dist-types/commands/${operation}Command.d.ts`
  const text = readFileSync(createRequire(import.meta.url).resolve(file), 'utf8')
  return [...text.matchAll(/@throws \{@link (\w+)\} \((client|server) fault\)/g)].map(([, name = '', fault]) => ({
    name,
    status: statusOf(service, name) ?? (fault === 'server' ? STATUS_SERVER : STATUS_CLIENT)
  }))
}

/** The schema of an error has its traits in fourth place. */
function statusOf(service: DescribedService, name: string): number | undefined {
  const schema = CLIENTS[service][`${name}$`]
  if (!Array.isArray(schema)) throw new Error(`the client of ${service} has no ${name}`)
  const traits = (schema as unknown[])[3]
  if (typeof traits !== 'object' || traits === null || !('httpError' in traits)) return undefined
  return typeof traits.httpError === 'number' ? traits.httpError : undefined
}

/**
 * Errors that every operation may answer:
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html,
 * https://docs.aws.amazon.com/iot-sitewise/latest/APIReference/CommonErrors.html,
 * https://docs.aws.amazon.com/iotanalytics/latest/APIReference/CommonErrors.html.
 * The names of the documentation, and those that the services really send.
 */
export const COMMON_ERRORS: readonly ServiceError[] = [
  { name: 'AccessDeniedException', status: 400 },
  { name: 'ExpiredTokenException', status: 403 },
  { name: 'IncompleteSignature', status: 400 },
  { name: 'IncompleteSignatureException', status: 400 },
  { name: 'InternalFailure', status: 500 },
  { name: 'InvalidAction', status: 400 },
  { name: 'InvalidClientTokenId', status: 403 },
  { name: 'InvalidSignatureException', status: 403 },
  { name: 'MalformedHttpRequestException', status: 400 },
  { name: 'MissingAuthenticationTokenException', status: 400 },
  { name: 'NotAuthorized', status: 401 },
  { name: 'OptInRequired', status: 403 },
  { name: 'RequestAbortedException', status: 400 },
  { name: 'RequestExpired', status: 400 },
  { name: 'RequestTimeoutException', status: 408 },
  { name: 'ServiceUnavailable', status: 503 },
  { name: 'ThrottlingException', status: 400 },
  { name: 'UnrecognizedClientException', status: 403 },
  { name: 'UnknownOperationException', status: 404 }
]

/** Common errors that are about the content of the request. */
export const COMMON_CONTENT_ERRORS: readonly ServiceError[] = [
  { name: 'RequestEntityTooLargeException', status: 413 },
  { name: 'ValidationError', status: 400 },
  { name: 'ValidationException', status: 400 }
]

/** Answers with an error as the protocol of the service writes it. */
export function answerError(
  model: Pick<Model, 'protocol' | 'service'>,
  error: ServiceError,
  response: ServerResponse
): void {
  const { name, status, message = 'told so', fields = {}, headers = {} } = error
  switch (model.protocol) {
    case 'json':
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'R', ...headers })
      response.end(JSON.stringify({ __type: `com.amazonaws.${model.service}#${name}`, message, ...fields }))
      return
    case 'rest-json':
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-amzn-requestid': 'R',
        // The services put an address of their own behind the name.
        'x-amzn-errortype': `${name}:http://internal.amazon.com/coral/com.amazon.coral.service/`,
        ...headers
      })
      response.end(JSON.stringify({ message, ...fields }))
      return
    case 'rest-xml': {
      const elements = Object.entries({ Code: name, Message: message, ...fields, RequestId: 'R', HostId: 'H' })
      const inside = elements.map(([element, text]) => `<${element}>${escapeXml(text)}</${element}>`).join('')
      response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'R', ...headers })
      response.end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inside}</Error>`)
    }
  }
}
