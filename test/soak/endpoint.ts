import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from '../../component/base/random.ts'

/** An HTTP destination that works most of the time, and checks that nothing is skipped. Holds no messages. */
export interface ShakyEndpoint {
  readonly port: number
  /** One more than the highest number accepted. */
  readonly next: number
  /** Messages that came again. */
  readonly duplicates: number
  readonly refusals: number
  /** While true, no request is accepted. */
  isDown: boolean
  /** From now on it never fails. */
  heal(): void
  close(): Promise<void>
}

/** Share of requests that fail in some way while it is up. */
const FAULT_SHARE = 0.02

/** @param fail is told when a message is skipped */
export async function openShakyEndpoint(random: Random, fail: (problem: string) => void): Promise<ShakyEndpoint> {
  let next = 0
  let duplicates = 0
  let refusals = 0
  let isHealed = false
  const accept = (body: string): void => {
    for (const { sequenceNumber } of JSON.parse(body) as { sequenceNumber: number }[]) {
      if (sequenceNumber > next) fail(`exports went on with ${sequenceNumber} after ${next - 1}`)
      if (sequenceNumber < next) duplicates += 1
      next = Math.max(next, sequenceNumber + 1)
    }
  }
  /** Refuses by a status, a reset, half an answer, or after having accepted. */
  const misbehave = (response: ServerResponse, body: string): void => {
    refusals += 1
    const choice = Math.floor(random.fraction() * 5)
    if (choice === 0) response.writeHead(503, { 'retry-after': '1' }).end()
    else if (choice === 1) response.writeHead(500).end('x'.repeat(100_000))
    else if (choice === 2) response.destroy()
    else if (choice === 3) {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      setTimeout(() => response.destroy(), 200)
      accept(body)
    } else {
      accept(body)
      response.destroy()
    }
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      if (endpoint.isDown) response.writeHead(503).end()
      else if (!isHealed && random.fraction() < FAULT_SHARE) misbehave(response, body)
      else {
        accept(body)
        response.writeHead(200).end()
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint: ShakyEndpoint = {
    port: (server.address() as AddressInfo).port,
    isDown: false,
    get next() {
      return next
    },
    get duplicates() {
      return duplicates
    },
    get refusals() {
      return refusals
    },
    heal() {
      isHealed = true
      endpoint.isDown = false
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
  return endpoint
}
