import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerError, type ServiceError } from '../aws-model/errors.ts'
import { createGate, type Gate } from '../aws-model/gate.ts'
import { startScriptedServer, type ReceivedRequest } from '../scripted-server.ts'

export type KinesisOperation = 'PutRecords' | 'ListShards'

/** Stands before an emulated Kinesis: checks what the exporter sends, and fails requests and records as a test wants it. */
export interface KinesisProxy {
  readonly endpoint: string
  readonly gate: Gate
  /** Requests that came, in order. */
  readonly requests: readonly ReceivedRequest[]
  /** Refuses a request; undefined: it is served. @param payloads of the records of PutRecords */
  refuse: (operation: KinesisOperation, payloads: readonly Buffer[]) => ServiceError | undefined
  /** Fails single records: the error code by payload, or undefined. */
  failRecord: (payload: Buffer) => string | undefined
  close(): Promise<void>
}

interface PutRecords {
  readonly StreamName: string
  readonly Records: readonly { readonly Data: string }[]
}

const JSON_1_1 = 'application/x-amz-json-1.1'

/** @param port of the emulator */
export async function startKinesisProxy(port: number): Promise<KinesisProxy> {
  const server = await startScriptedServer()
  const gate = createGate('kinesis', ['PutRecords', 'ListShards'])
  const agent = new http.Agent({ keepAlive: true })

  const forward = async (request: ReceivedRequest, body: Buffer): Promise<{ status: number; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const headers = { ...request.headers, 'content-length': body.length }
      const outgoing = http.request(
        { host: '127.0.0.1', port, agent, method: 'POST', path: '/', headers },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }))
        }
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  /** Lets the emulator have the records that do not fail, and puts the results of all together. */
  const putSome = async (request: ReceivedRequest, input: PutRecords, codes: readonly (string | undefined)[]) => {
    const good = input.Records.filter((_, index) => codes[index] === undefined)
    const body = Buffer.from(JSON.stringify({ ...input, Records: good }))
    const answer = good.length === 0 ? undefined : await forward(request, body)
    if (answer !== undefined && answer.status !== 200) return answer
    const { Records: stored } = JSON.parse(answer?.body.toString() ?? '{"Records":[]}') as { Records: unknown[] }
    const results = codes.map((code) =>
      code === undefined ? stored.shift() : { ErrorCode: code, ErrorMessage: 'told so' }
    )
    const FailedRecordCount = codes.filter((code) => code !== undefined).length
    return { status: 200, body: Buffer.from(JSON.stringify({ FailedRecordCount, Records: results })) }
  }

  server.script = [
    (request, response) => {
      if (gate.refuses(request, response)) return
      const operation = request.headers['x-amz-target'] === 'Kinesis_20131202.PutRecords' ? 'PutRecords' : 'ListShards'
      const input = JSON.parse(request.body.toString()) as Partial<PutRecords>
      const payloads = (input.Records ?? []).map(({ Data }) => Buffer.from(Data, 'base64'))
      const error = proxy.refuse(operation, payloads)
      if (error !== undefined) {
        answerError(gate.model, error, response)
        return
      }
      const codes = payloads.map((payload) => proxy.failRecord(payload))
      const isPartial = codes.some((code) => code !== undefined)
      const answered = isPartial ? putSome(request, input as PutRecords, codes) : forward(request, request.body)
      answered.then(
        ({ status, body }) => response.writeHead(status, { 'content-type': JSON_1_1 }).end(body),
        () => response.destroy()
      )
    }
  ]
  const proxy: KinesisProxy = {
    endpoint: server.origin,
    gate,
    requests: server.requests,
    refuse: () => undefined,
    failRecord: () => undefined,
    async close() {
      await server.close()
      agent.destroy()
    }
  }
  return proxy
}

/** Port of a server that listens. */
export const portOf = (server: http.Server): number => (server.address() as AddressInfo).port
