import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import type { ExportBatch, PartialOutcome, SendOutcome, Sink } from '../../../../component/export/sink.ts'
import { createSiteWiseSink } from '../../../../component/sinks/sitewise/sink.ts'
import { answerJson, answerRestError } from '../../../helpers/aws-json.ts'
import { createFakeClock } from '../../../helpers/fake-clock.ts'
import { answering, startScriptedServer, type ReceivedRequest } from '../../../helpers/scripted-server.ts'
import { localSiteWiseClient } from '../../../helpers/strict-sitewise.ts'

const server = await startScriptedServer()
const client = localSiteWiseClient(server.origin)
after(() => server.close())
beforeEach(() => (server.requests.length = 0))

const clock = createFakeClock(1_700_000_000_000)
const newSink = (): Sink => createSiteWiseSink({ client, clock })

interface Body {
  readonly entries: readonly { readonly entryId: string; readonly propertyAlias: string }[]
}

const bodyOf = (request: ReceivedRequest | undefined): Body => JSON.parse(request?.body.toString() ?? '') as Body
const aliases = (request: ReceivedRequest | undefined): string[] =>
  bodyOf(request).entries.map((entry) => entry.propertyAlias)

/** One message for each alias; the value is not JSON for an alias without a slash. */
function batchOf(...names: string[]): ExportBatch {
  const messages = names.map((alias, sequenceNumber) => ({
    sequenceNumber,
    ingestTimeMs: 0,
    payload: Buffer.from(
      alias.startsWith('/')
        ? JSON.stringify({
            entryId: `id${sequenceNumber}`,
            propertyAlias: alias,
            propertyValues: [{ value: { doubleValue: 1 }, timestamp: { timeInSeconds: 1_700_000_000 } }]
          })
        : alias
    )
  }))
  return { streamName: 's', definition: { kind: 'sitewise', identifier: 'w' }, messages }
}

function send(batch: ExportBatch, sink = newSink(), signal = new AbortController().signal): Promise<SendOutcome> {
  return sink.send(batch, signal)
}

/** Says no to entries by their id. */
function refuse(codes: Readonly<Record<string, string | readonly string[]>>): ReturnType<typeof answering> {
  return answerJson({
    errorEntries: Object.entries(codes).map(([entryId, code]) => ({
      entryId,
      errors: [code].flat().map((errorCode) => ({ errorCode, errorMessage: 'told so', timestamps: [] }))
    }))
  })
}

const ACCEPT_ALL = answerJson({ errorEntries: [] })

function partial(outcome: SendOutcome): PartialOutcome {
  assert.equal(outcome.kind, 'partial')
  return outcome
}

test('the request is signed, goes to the endpoint as it is, and carries members that the client does not know', async () => {
  server.script = [ACCEPT_ALL]
  const batch = batchOf('/a')
  const entry = { ...(JSON.parse(batch.messages[0]?.payload.toString() ?? '') as object), future: { deep: [1.5] } }
  const messages = [{ sequenceNumber: 0, ingestTimeMs: 0, payload: Buffer.from(JSON.stringify(entry)) }]
  assert.deepEqual(await send({ ...batch, messages }), { kind: 'delivered' })
  const [request] = server.requests
  assert.equal(request?.method, 'POST')
  assert.equal(request.url, '/properties')
  assert.equal(request.headers.host, `127.0.0.1:${server.port}`)
  assert.match(request.headers.authorization ?? '', /eu-central-1\/iotsitewise\/aws4_request/)
  assert.match(request.headers['user-agent'] ?? '', /test\/1/)
  assert.equal(request.headers['content-length'], String(request.body.length))
  assert.deepEqual(bodyOf(request), { entries: [entry] })
})

test('every error of an entry means what the table says', async () => {
  const cases: readonly [code: string, fate: 'failed' | 'rejected'][] = [
    ['ThrottlingException', 'failed'],
    ['ServiceUnavailableException', 'failed'],
    ['InternalFailureException', 'failed'],
    ['LimitExceededException', 'failed'],
    ['AccessDeniedException', 'failed'],
    ['SomethingNewException', 'failed'],
    ['ConflictingOperationException', 'failed'],
    ['TimestampOutOfRangeException', 'rejected'],
    ['InvalidRequestException', 'rejected'],
    ['ResourceNotFoundException', 'rejected']
  ]
  for (const [code, fate] of cases) {
    server.script = [refuse({ id1: code })]
    const outcome = partial(await send(batchOf('/a', '/b', '/c')))
    const reason = `${code}: told so (alias /b)`
    assert.deepEqual(outcome.failed, fate === 'failed' ? [1] : [], code)
    assert.deepEqual(outcome.rejected, fate === 'rejected' ? [{ index: 1, reason }] : [], code)
    assert.equal(outcome.reason, fate === 'failed' ? reason : '', code)
  }
})

test('of several errors of one entry patience wins', async () => {
  server.script = [refuse({ id0: ['InvalidRequestException', 'ThrottlingException'], id1: [] })]
  const outcome = partial(await send(batchOf('/a', '/b')))
  assert.deepEqual(outcome.failed, [0, 1])
  assert.equal(outcome.reason, 'ThrottlingException: told so (alias /a)')
})

test('ids that are equal are told apart on the wire and in the answer', async () => {
  server.script = [refuse({ 'message-1': 'InvalidRequestException' })]
  const batch = batchOf('/a', '/b')
  const messages = batch.messages.map((message) => ({
    ...message,
    payload: Buffer.from(message.payload.toString().replace(/"id\d"/, '"same"'))
  }))
  const outcome = partial(await send({ ...batch, messages }))
  assert.deepEqual(
    bodyOf(server.requests[0]).entries.map((entry) => entry.entryId),
    ['same', 'message-1']
  )
  assert.deepEqual(
    outcome.rejected?.map((rejection) => rejection.index),
    [1]
  )
})

test('an answer that does not fit the request is not believed', async () => {
  for (const answer of [
    refuse({ id7: 'InvalidRequestException' }),
    answerJson({}),
    answering(200),
    answering(200, { 'content-type': 'text/html' }, '<html>Please log in</html>'),
    answering(302, { location: 'http://127.0.0.1:1/' }),
    answering(403, { 'content-type': 'text/html' }, '<html>Forbidden</html>')
  ]) {
    server.script = [answer]
    const outcome = await send(batchOf('/a', '/b'))
    assert.equal(outcome.kind, 'retryLater')
  }
})

test('a conflict makes an entry go alone up to five times, then it is skipped; its neighbours wait', async () => {
  const sink = newSink()
  server.script = [refuse({ id1: 'ConflictingOperationException' })]
  assert.deepEqual(partial(await send(batchOf('/a', '/b'), sink)).failed, [1])
  const batch = batchOf('/a', '/b', '/c')
  const rest = { ...batch, messages: batch.messages.slice(1) }
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const outcome = partial(await send(rest, sink))
    assert.deepEqual(aliases(server.requests.at(-1)), ['/b'])
    assert.deepEqual(outcome.unsent, [1])
    assert.deepEqual(outcome.failed, attempt < 5 ? [0] : [])
    assert.equal(outcome.rejected?.length, attempt < 5 ? 0 : 1, `attempt ${attempt}`)
  }
  server.script = [ACCEPT_ALL]
  assert.deepEqual(await send({ ...batch, messages: batch.messages.slice(2) }, sink), { kind: 'delivered' })
  assert.equal(server.requests.length, 7)
})

test('a conflict that passes when the entry is alone is forgotten', async () => {
  const sink = newSink()
  server.script = [refuse({ id0: 'ConflictingOperationException' }), ACCEPT_ALL]
  await send(batchOf('/a', '/b'), sink)
  assert.deepEqual(partial(await send(batchOf('/a', '/b'), sink)).unsent, [1])
  assert.deepEqual(await send(batchOf('/a', '/b'), sink), { kind: 'delivered' })
})

test('a request that is refused as a whole is halved until the offender is alone and skipped', async () => {
  const sink = newSink()
  const names = Array.from({ length: 10 }, (_, index) => `/${index}`)
  server.script = [
    (request, response) =>
      (aliases(request).includes('/3') ? answerRestError('InvalidRequestException') : ACCEPT_ALL)(request, response)
  ]
  let left = batchOf(...names).messages
  const rejected: number[] = []
  for (let round = 0; left.length > 0; round += 1) {
    assert.ok(round < 12)
    const outcome = await send({ ...batchOf(), messages: left }, sink)
    if (outcome.kind === 'delivered') break
    const { failed, unsent = [], rejected: gone = [] } = partial(outcome)
    assert.deepEqual(failed, [])
    rejected.push(...gone.map(({ index }) => left[index]?.sequenceNumber ?? -1))
    left = left.filter((_, index) => unsent.includes(index))
  }
  assert.deepEqual(rejected, [3])
  assert.deepEqual(
    server.requests.map((request) => aliases(request).length),
    [10, 5, 3, 3, 2, 1, 6]
  )
})

test('a message that is no entry never reaches the service, its neighbours do', async () => {
  server.script = [ACCEPT_ALL]
  const outcome = partial(await send(batchOf('nonsense', '/b')))
  assert.deepEqual(outcome.rejected, [{ index: 0, reason: 'InvalidEntry: the message is not JSON' }])
  assert.deepEqual(aliases(server.requests[0]), ['/b'])
})

test('without any entry there is no request', async () => {
  const outcome = partial(await send(batchOf('nonsense', 'more of it')))
  assert.equal(outcome.rejected?.length, 2)
  assert.equal(server.requests.length, 0)
})

test('a conflict of the whole request isolates its entries, too', async () => {
  const sink = newSink()
  server.script = [answerRestError('ConflictingOperationException', 'busy', 409), ACCEPT_ALL]
  assert.deepEqual(partial(await send(batchOf('/a', '/b'), sink)).failed, [0, 1])
  await send(batchOf('/a', '/b'), sink)
  assert.deepEqual(aliases(server.requests.at(-1)), ['/a'])
})

test('what may work later is repeated as a whole', async () => {
  for (const [name, status] of [
    ['AccessDeniedException', 403],
    ['ThrottlingException', 429],
    ['ServiceUnavailableException', 503],
    ['InternalFailureException', 500],
    ['ResourceNotFoundException', 404],
    ['LimitExceededException', 410],
    ['ExpiredTokenException', 403]
  ] as const) {
    server.script = [answerRestError(name, 'told so', status)]
    assert.deepEqual(await send(batchOf('/a')), { kind: 'retryLater', reason: `${name}: told so` })
  }
  const gone = createSiteWiseSink({ client: localSiteWiseClient('http://127.0.0.1:1'), clock })
  const outcome = await send(batchOf('/a'), gone)
  assert.match(outcome.kind === 'retryLater' ? outcome.reason : '', /ECONNREFUSED/)
})

test('an abort ends a request that hangs', async () => {
  server.script = [() => undefined]
  const abort = new AbortController()
  const outcome = send(batchOf('/a'), newSink(), abort.signal)
  await server.received(1)
  abort.abort()
  assert.equal((await outcome).kind, 'retryLater')
})
