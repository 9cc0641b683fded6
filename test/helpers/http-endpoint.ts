import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A real HTTP endpoint for exports that remembers what it accepted. */
export interface HttpEndpoint {
  readonly port: number
  /** Payloads by sequence number. */
  readonly received: ReadonlyMap<number, string>
  /** Messages that came again. */
  readonly duplicates: number
  untilReceived(count: number): Promise<void>
  close(): Promise<void>
}

/** Without any message. */
const PATIENCE_MS = 30_000

/**
 * Opens an endpoint on a free port of the loopback address.
 * @param holdMs how long it keeps a request before it accepts it; what the client gives up meanwhile is not accepted
 */
export async function openHttpEndpoint(holdMs: () => number = () => 0): Promise<HttpEndpoint> {
  const received = new Map<number, string>()
  let duplicates = 0
  let arrived = (): void => undefined
  const accept = (body: string): void => {
    for (const { sequenceNumber, payload } of JSON.parse(body) as { sequenceNumber: number; payload: string }[]) {
      const text = Buffer.from(payload, 'base64').toString()
      if (received.has(sequenceNumber)) duplicates += 1
      assert.equal(text, received.get(sequenceNumber) ?? text, `message ${sequenceNumber} came with two contents`)
      received.set(sequenceNumber, text)
    }
    arrived()
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      setTimeout(() => {
        if (response.destroyed) return
        accept(Buffer.concat(chunks).toString())
        response.writeHead(200).end()
      }, holdMs())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    received,
    get duplicates() {
      return duplicates
    },
    untilReceived(count) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${received.size} of ${count} messages arrived in time`)),
          PATIENCE_MS
        )
        arrived = () => {
          timer.refresh()
          if (received.size < count) return
          clearTimeout(timer)
          resolve()
        }
        arrived()
      })
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
