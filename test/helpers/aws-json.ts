import type { ServerResponse } from 'node:http'
import type { ReceivedRequest } from './scripted-server.ts'

type Answer = (request: ReceivedRequest, response: ServerResponse) => void

/** Answers with a JSON body. */
export function answerJson(body: unknown, status = 200): Answer {
  return (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Answers as services with the REST protocol of AWS tell an error. */
export function answerRestError(name: string, message = 'told so', status = 400): Answer {
  return (_request, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': name })
      .end(JSON.stringify({ message }))
}

/** Whether a request is signed for a service, as far as can be told without its secret. */
export function isSignedFor(request: ReceivedRequest, service: string): boolean {
  const { authorization = '' } = request.headers
  return /^AWS4-HMAC-SHA256 /.test(authorization) && authorization.includes(`/${service}/aws4_request`)
}
