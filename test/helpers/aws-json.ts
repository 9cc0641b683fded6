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
