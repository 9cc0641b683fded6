import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { StreamClient } from '../../../component/cli/client/client.ts'
import { ConnectionLost, openConnection, RequestRefused } from '../../../component/cli/client/connection.ts'
import { findNumberAt } from '../../../component/cli/find-number.ts'
import { viewStream } from '../../../component/cli/stream-status.ts'
import type { StreamInfo } from '../../../component/model/stream-info.ts'
import { encodeConnectResponse } from '../../../component/protocol/index.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'

/** A peer that does this with each connection. */
async function listen(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const optionsFor = (port: number, clock = createFakeClock()) => ({
  clock,
  host: '127.0.0.1',
  port,
  token: undefined,
  sdkVersion: 'test',
  timeoutMs: 1_000
})

for (const [what, bytes, problem] of [
  ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /what listens there is not a stream manager/],
  ['a frame without a length', Buffer.from([1, 0, 0, 0, 0, 6]), /what listens there is not a stream manager/],
  ['a frame that cannot be decoded', Buffer.from([1, 0, 0, 0, 2, 6, 0xff]), /the answer cannot be decoded/],
  ['an end', undefined, /the server has closed the connection/]
] as const) {
  test(`a peer that answers with ${what} is told from a server`, async (t) => {
    const port = await listen(t, (socket) => (bytes === undefined ? socket.end() : socket.write(bytes)))
    await assert.rejects(
      openConnection(optionsFor(port)),
      (error) => error instanceof ConnectionLost && problem.test(error.message)
    )
  })
}

test('a peer that says nothing is given up after the time', async (t) => {
  const clock = createFakeClock()
  let arrived = (): void => undefined
  const waiting = new Promise<void>((resolve) => (arrived = resolve))
  const port = await listen(t, (socket) => socket.once('data', () => arrived()))
  const opening = openConnection(optionsFor(port, clock))
  opening.catch(() => undefined)
  await waiting
  clock.advance(1_000)
  await assert.rejects(opening, /the server does not answer in time/)
})

test('a refusal has the words of the server, and its kind', async (t) => {
  const answer = Buffer.concat([
    Buffer.from([1]),
    encodeConnectResponse({
      requestId: '0',
      protocolVersion: undefined,
      failure: { kind: 'unauthorized', message: 'no' },
      serverVersion: '1'
    })
  ])
  const port = await listen(t, (socket) => socket.write(answer))
  await assert.rejects(
    openConnection(optionsFor(port)),
    (error) => error instanceof RequestRefused && error.kind === 'unauthorized'
  )
})

/** A stream with a message every second, from number `oldest` on; some numbers are missing. */
function clientOf(times: ReadonlyMap<number, number>): { client: StreamClient; info: StreamInfo; reads: () => number } {
  const numbers = [...times.keys()]
  let reads = 0
  const client = {
    read: (_name: string, { from }: { from: number }) => {
      reads += 1
      const number = numbers.find((candidate) => candidate >= from)
      const ingestTimeMs = number === undefined ? undefined : times.get(number)
      return Promise.resolve(
        number === undefined || ingestTimeMs === undefined
          ? []
          : [{ sequenceNumber: number, ingestTimeMs, payload: Buffer.alloc(1) }]
      )
    }
  } as unknown as StreamClient
  const info: StreamInfo = {
    definition: {
      name: 's',
      maxSizeBytes: 1024n,
      segmentSizeBytes: 1024,
      strategyOnFull: 'rejectNewData',
      persistence: 'file',
      flushOnWrite: false,
      exports: [{ kind: 'sitewise', identifier: 'e' }]
    },
    storageStatus: {
      oldestSequenceNumber: numbers[0] ?? 0,
      newestSequenceNumber: numbers.at(-1) ?? -1,
      totalBytes: 500
    },
    exportStatuses: []
  }
  return { client, info, reads: () => reads }
}

test('the number of a time is found by few reads, over gaps', async () => {
  const numbers = Array.from({ length: 1000 }, (_, index) => 100 + index).filter(
    (number) => number < 300 || number > 450
  )
  const times = new Map(numbers.map((number) => [number, number * 1000]))
  const { client, info, reads } = clientOf(times)
  for (const [timeMs, expected] of [
    [0, 100],
    [100_000, 100],
    [100_001, 101],
    [299_000, 299],
    [1_099_000, 1099],
    [1_099_001, 1100]
  ] as const)
    assert.equal(await findNumberAt(client, info, timeMs), expected)
  // In a gap any number of it leads to the same message.
  const inGap = await findNumberAt(client, info, 350_000)
  assert.ok(inGap >= 300 && inGap <= 451, String(inGap))
  assert.ok(reads() <= 7 * 11, String(reads()))
  assert.equal(await findNumberAt(clientOf(new Map()).client, clientOf(new Map()).info, 0), 0)
})

test('lag, loss and state of an export follow from what describe says', () => {
  const { info } = clientOf(new Map(Array.from({ length: 10 }, (_, index) => [100 + index, 0])))
  const view = (lastExportedSequenceNumber: bigint, changes: object = {}, disabled = false) => {
    const exports = [{ kind: 'sitewise', identifier: 'e', disabled }] as const
    const status = {
      exportConfigIdentifier: 'e',
      lastExportedSequenceNumber,
      exportedBytesFromStream: 0,
      exportedMessagesCount: 0,
      ...changes
    }
    const [item] = viewStream({
      ...info,
      definition: { ...info.definition, exports },
      exportStatuses: [status]
    }).exports
    return [item?.state, item?.next, item?.lagMessages, item?.lagBytes, item?.lostMessages]
  }
  assert.deepEqual(view(109n), ['up to date', 110, 0, 0, 0])
  assert.deepEqual(view(104n), ['behind', 105, 5, 250, 0])
  assert.deepEqual(view(49n), ['behind', 100, 10, 500, 50])
  assert.deepEqual(view(104n, { errorMessage: 'x' }), ['failing', 105, 5, 250, 0])
  assert.deepEqual(view(104n, { errorMessage: 'x' }, true), ['paused', 105, 5, 250, 0])
  // It may be told to begin at a message that is still to come.
  assert.deepEqual(view(500n), ['up to date', 501, 0, 0, 0])
})
