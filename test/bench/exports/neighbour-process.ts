/**
 * A program beside the server that has nothing to do with it, but does what a batch to HTTP costs at the least: it reads
 * records from a file, puts them into JSON and posts them, one request at a time. What appends suffer from it, they suffer
 * from the machine.
 */
import { openSync, readSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setPriority } from 'node:os'
import { PAYLOAD_BYTES } from '../job.ts'

const RECORDS = 500
/** As the server's exporter thread. */
const NICENESS = 5
const RETRY_MS = 100

const [origin = '', file = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true })
const descriptor = openSync(file, 'r')
const records = Buffer.alloc(RECORDS * PAYLOAD_BYTES)
const body = Buffer.alloc(RECORDS * (PAYLOAD_BYTES * 2 + 64))

function makeBody(): Buffer {
  readSync(descriptor, records, 0, records.length, 0)
  let length = 0
  for (let index = 0; index < RECORDS; index += 1) {
    const payload = records.toString('base64', index * PAYLOAD_BYTES, (index + 1) * PAYLOAD_BYTES)
    length += body.write(`{"sequenceNumber":${index},"payload":"${payload}"},`, length, 'latin1')
  }
  return body.subarray(0, length)
}

function post(): void {
  const made = makeBody()
  const posted = request(origin, { method: 'POST', agent, headers: { 'content-length': made.length } }, (answer) => {
    answer.resume()
    answer.on('end', () => setImmediate(post))
  })
  posted.on('error', () => setTimeout(post, RETRY_MS))
  posted.end(made)
}

setPriority(NICENESS)
process.on('disconnect', () => process.exit())
post()
