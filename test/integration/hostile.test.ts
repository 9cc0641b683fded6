import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startServer, type ServerProcess } from '../helpers/server-process.ts'
import { encodeFrame, OP, WireClient, type WireMap } from '../helpers/wire-client.ts'

/* Bad input, one test for each line of reliability 7.1 that a connection can show; the server never notices. */

let server: ServerProcess
/** Works all the time, beside everything that goes wrong. */
let bystander: WireClient

before(async () => {
  server = await startServer()
  bystander = await WireClient.connect({ port: server.port })
  const created = await bystander.request(OP.createMessageStream, { definition: { name: 'safe', strategyOnFull: 1 } })
  assert.equal(created.map['status'], 0)
})

after(async () => {
  await bystander.close()
  await server.dispose()
})

const connect = (): Promise<WireClient> => WireClient.connect({ port: server.port })

async function assertUnharmed(): Promise<void> {
  const answer = await bystander.request(OP.appendMessage, { name: 'safe', payload: Buffer.from('still here') })
  assert.equal(answer.map['status'], 0)
}

/** The bytes are answered with nothing but the end of the connection, and without a reset. */
async function assertCloses(bytes: Uint8Array): Promise<void> {
  const client = await connect()
  client.send(bytes)
  assert.equal((await client.untilServerEnds()).length, 0)
  await client.close()
  await assertUnharmed()
}

/** The request is answered with this status, and the connection goes on. */
async function assertStatus(
  operation: number,
  payload: WireMap | Uint8Array,
  status: number,
  text?: RegExp
): Promise<void> {
  const client = await connect()
  client.send(encodeFrame(operation, payload))
  const answer = await client.takeFrame()
  assert.equal(answer.map['status'], status, String(answer.map['errorMessage']))
  if (text !== undefined) assert.match(String(answer.map['errorMessage']), text)
  const list = await client.request(OP.listStreams, {})
  assert.equal(list.map['status'], 0)
  await client.close()
}

const cbor = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
/** A map that begins with requestId "r" and has `rest` behind it. */
const withId = (rest: string, items = 2): Buffer => cbor(`a${items} 69 726571756573744964 61 72 ${rest}`)
const STATUS = { invalidRequest: 3, tooLarge: 4, unexpectedOperation: 9, unknownOperation: 18 }

test('a connect version other than 1 is refused with an answer', async () => {
  const client = await WireClient.connect({ port: server.port, handshake: false })
  client.send(Buffer.of(2))
  assert.equal((await client.takeConnectResponse()).map['status'], 8)
  await client.untilServerEnds()
  await client.close()
})

test('a first operation other than Connect is refused with an answer', async () => {
  const client = await WireClient.connect({ port: server.port, handshake: false })
  client.send(Buffer.concat([Buffer.of(1), encodeFrame(OP.listStreams, { requestId: 'early' })]))
  const { map } = await client.takeConnectResponse()
  assert.deepEqual([map['requestId'], map['status']], ['early', STATUS.unexpectedOperation])
  await client.untilServerEnds()
  await client.close()
})

test('versions: the first common one is taken, none or an unreadable one is refused', async () => {
  const cases: [WireMap, number, unknown][] = [
    [{ protocolVersion: '1.0.0' }, 0, '1.0.0'],
    [{ protocolVersion: '9.0.0', otherSupportedProtocolVersions: ['8.0.0', '1.1.0'] }, 0, '1.1.0'],
    [{ protocolVersion: '9.0.0', otherSupportedProtocolVersions: [] }, 10, undefined],
    [{ protocolVersion: undefined }, 11, undefined],
    [{ protocolVersion: 'latest' }, 11, undefined],
    [{ protocolVersion: 1 }, 11, undefined]
  ]
  for (const [request, status, version] of cases) {
    const client = await WireClient.connect({ port: server.port, request })
    assert.equal(client.connectResponse?.map['status'], status, JSON.stringify(request))
    assert.equal(client.connectResponse.map['protocolVersion'], version, JSON.stringify(request))
    if (status !== 0) await client.untilServerEnds()
    await client.close()
  }
})

test('a second Connect is an unexpected operation', () =>
  assertStatus(OP.connect, { requestId: 'again', protocolVersion: '1.1.0' }, STATUS.unexpectedOperation))

test('lengths of 0, below 0 and 1 end the connection', async () => {
  await assertCloses(cbor('00000000 04'))
  await assertCloses(cbor('ffffffff 04'))
  await assertCloses(cbor('80000000 04'))
  await assertCloses(cbor('00000001 04'))
})

test('a frame beyond 2^30 is refused by name if its id came with it, and ends the connection', async () => {
  const client = await connect()
  client.send(Buffer.concat([cbor('40000001 04'), withId('64 6e616d65 61 78', 3)]))
  const answer = await client.takeFrame()
  assert.deepEqual([answer.map['requestId'], answer.map['status']], ['r', STATUS.tooLarge])
  await client.untilServerEnds()
  await client.close()
  await assertCloses(cbor('7fffffff 04'))
})

test('an unauthenticated frame beyond 64 KiB ends the connection', async () => {
  const client = await WireClient.connect({ port: server.port, handshake: false })
  client.send(cbor('01 00010001 01'))
  assert.equal((await client.untilServerEnds()).length, 0)
  await client.close()
})

test('unknown operations are answered as such', async () => {
  for (const operation of [0, 7, 17, 18, 99, -1, -128]) {
    const client = await connect()
    client.send(encodeFrame(operation, { requestId: 'what' }))
    const answer = await client.takeFrame()
    assert.deepEqual(
      [answer.operation, answer.map['requestId'], answer.map['status']],
      [OP.unknownOperationError, 'what', STATUS.unknownOperation]
    )
    await client.close()
  }
  await assertCloses(encodeFrame(99, { name: 'no id' }))
})

test('what is no map, or has no readable id, ends the connection', async () => {
  await assertCloses(encodeFrame(OP.listStreams, cbor('80')))
  await assertCloses(encodeFrame(OP.listStreams, cbor('ff')))
  await assertCloses(encodeFrame(OP.listStreams, cbor('a0')))
  await assertCloses(encodeFrame(OP.listStreams, { requestId: 5 }))
  await assertCloses(encodeFrame(OP.listStreams, cbor('a1 69 726571756573744964 f6')))
  await assertCloses(encodeFrame(OP.listStreams, { requestId: 'x'.repeat(1_025) }))
  await assertCloses(encodeFrame(OP.appendMessage, Buffer.from('GET / HTTP/1.1\r\n\r\n')))
})

test('broken CBOR behind a readable id is an invalid request', async () => {
  const broken: Record<string, Buffer> = {
    'cut short': withId('64 6e61', 2),
    'trailing bytes': withId('00', 1),
    'a tag': withId('61 78 c0 61 31'),
    'a big number tag': withId('61 78 c2 41 01'),
    'nested too deeply': withId(`61 78 ${'81'.repeat(40)} 00`),
    'a key twice': withId('61 78 00 61 78 00', 3),
    'the id twice': withId('69 726571756573744964 61 73'),
    'an array longer than the bytes': withId('61 78 9b 0000ffffffffffff'),
    'text longer than the bytes': withId('61 78 7b 0000ffffffffffff'),
    'an array without end': withId('61 78 9f 00 00'),
    'invalid UTF-8': withId('61 78 62 c3 28'),
    'a key that is no text': withId('05 00')
  }
  for (const [name, payload] of Object.entries(broken)) {
    const client = await connect()
    client.send(encodeFrame(OP.describeMessageStream, payload))
    const answer = await client.takeFrame()
    assert.deepEqual([answer.map['requestId'], answer.map['status']], ['r', STATUS.invalidRequest], name)
    await client.close()
  }
  await assertUnharmed()
})

test('wrong types and numbers are invalid requests that say where', async () => {
  const define = (fields: WireMap): WireMap => ({
    requestId: 'd',
    definition: { name: 'n', strategyOnFull: 0, ...fields }
  })
  const cases: [WireMap, RegExp][] = [
    [define({ maxSize: 1023 }), /definition\.maxSize: must be at least 1024\./],
    [define({ maxSize: 2048.5 }), /definition\.maxSize/],
    [define({ maxSize: Number.NaN }), /definition\.maxSize/],
    [define({ maxSize: 'much' }), /definition\.maxSize/],
    [define({ maxSize: true }), /definition\.maxSize/],
    [define({ streamSegmentSize: 2 ** 31 }), /definition\.streamSegmentSize: must be at most 2147483647\./],
    [define({ timeToLiveMillis: 59_999 }), /definition\.timeToLiveMillis: must be at least 60000\./],
    [define({ strategyOnFull: undefined }), /definition\.strategyOnFull is required\./],
    [define({ strategyOnFull: 2 }), /definition\.strategyOnFull/],
    [define({ flushOnWrite: 1 }), /definition\.flushOnWrite/],
    [define({ name: '' }), /definition\.name: must have at least 1 characters\./],
    [define({ name: 'a/b' }), /definition\.name: must match regular expression/],
    [define({ name: 'é' }), /definition\.name: must match regular expression/],
    [define({ name: 'x'.repeat(256) }), /definition\.name: must have at most 255 characters\./],
    [{ requestId: 'd' }, /definition is required\./]
  ]
  for (const [request, text] of cases) await assertStatus(OP.createMessageStream, request, STATUS.invalidRequest, text)
})

test('requests that are cut into single bytes, and glued together, are answered', async () => {
  const client = await connect()
  const append = (number: number): Buffer =>
    encodeFrame(OP.appendMessage, { requestId: `b${number}`, name: 'safe', payload: Buffer.of(number) })
  for (const byte of append(1)) client.send(Buffer.of(byte))
  client.send(Buffer.concat([append(2), append(3), append(4).subarray(0, 3)]))
  client.send(append(4).subarray(3))
  for (const id of ['b1', 'b2', 'b3', 'b4']) {
    const answer = await client.takeFrame()
    assert.deepEqual([answer.map['requestId'], answer.map['status']], [id, 0])
  }
  await client.close()
})

test('fifty pipelined appends with ids of their own get fifty right answers', async () => {
  const client = await connect()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      client.request(OP.appendMessage, { name: 'safe', payload: Buffer.of(index) })
    )
  )
  const numbers = answers.map(({ map }) => map['sequenceNumber'] as number)
  assert.deepEqual(
    numbers,
    Array.from({ length: 50 }, (_, index) => numbers[0]! + index)
  )
  await client.close()
})

test('a frame that ends with the connection leaves nothing behind', async () => {
  const client = await connect()
  client.send(
    encodeFrame(OP.appendMessage, { requestId: 'cut', name: 'safe', payload: Buffer.alloc(5_000) }).subarray(0, 900)
  )
  await client.close()
  await assertUnharmed()
})

test('resets in any state do not matter', async () => {
  for (const bytes of [Buffer.alloc(0), cbor('000000'), encodeFrame(OP.listStreams, { requestId: 'r' })]) {
    const client = await connect()
    client.send(bytes)
    client.reset()
  }
  await assertUnharmed()
})

test('a client that leaves while its read waits, and one whose stream is deleted meanwhile', async () => {
  const leaving = await connect()
  leaving.send(
    encodeFrame(OP.readMessages, {
      requestId: 'w',
      streamName: 'safe',
      readMessagesOptions: { desiredStartSequenceNumber: 1e6, readTimeoutMillis: 600_000 }
    })
  )
  await leaving.close()
  const client = await connect()
  await client.request(OP.createMessageStream, { definition: { name: 'short-lived', strategyOnFull: 0 } })
  const waiting = client.request(OP.readMessages, {
    streamName: 'short-lived',
    readMessagesOptions: { readTimeoutMillis: 600_000 }
  })
  const deleted = await client.request(OP.deleteMessageStream, { name: 'short-lived' })
  assert.equal(deleted.map['status'], 0)
  assert.equal((await waiting).map['status'], 5)
  await client.close()
  await assertUnharmed()
})
