import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import type { StepOutcome } from '../../component/export/task.ts'
import { createFakeClock, flush } from '../helpers/fake-clock.ts'
import { createInputFolder, localS3Tasks, MIB, runTask, stepOf, taskOf, UPLOAD_TIME_MS } from '../helpers/s3-fixture.ts'
import { startS3Server, type S3Server } from '../helpers/s3-server.ts'

const folder = createInputFolder()
after(() => folder.remove())

let server: S3Server
beforeEach(async () => (server = await startS3Server()))
afterEach(() => server.close())

const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')
const operations = (): string[] =>
  server.requests.map(({ operation, partNumber }) =>
    partNumber === undefined ? operation : `${operation} ${partNumber}`
  )

describe('a small file', () => {
  test('is stored by one PUT, with its metadata and the key of the upload time', async () => {
    const path = folder.write('small.txt', 'some content')
    const task = taskOf(path, {
      key: 'a/!{timestamp:yyyy/MM/dd}/f',
      userMetadata: { 'x-amz-meta-Kind': 'test', Name: 'Zoë', '$aws-gg-x': 'reserved' }
    })
    const { outcome, events } = await runTask(localS3Tasks(server.origin), stepOf(task))
    assert.deepEqual(outcome, {
      kind: 'succeeded',
      bytes: 12,
      message: 'uploaded 12 bytes to s3://bucket/a/2023/11/14/f',
      resolvedKey: 'a/2023/11/14/f',
      events: []
    })
    assert.deepEqual(events, [
      { level: 'warn', status: 'warning', message: 'metadata left out: the names $aws-gg-x cannot be used' }
    ])
    assert.deepEqual(server.objects.get('bucket/a/2023/11/14/f'), {
      bytes: 12,
      sha256: sha256('some content'),
      metadata: { kind: 'test', name: '=?UTF-8?B?Wm/Dqw==?=' },
      parts: 0
    })
    assert.deepEqual(operations(), ['PutObject'])
  })

  test('may be empty', async () => {
    const path = folder.write('empty', '')
    const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    assert.equal(outcome.kind, 'succeeded')
    assert.deepEqual(server.objects.get('bucket/key')?.bytes, 0)
  })

  test('of exactly the threshold is still one PUT', async () => {
    const content = randomBytes(5 * MIB)
    const path = folder.write('threshold', content)
    assert.equal((await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))).outcome.kind, 'succeeded')
    assert.equal(server.objects.get('bucket/key')?.sha256, sha256(content))
    assert.deepEqual(operations(), ['PutObject'])
  })
})

describe('a large file', () => {
  const content = randomBytes(12 * MIB + 1)
  let path = ''
  beforeEach(() => (path = folder.write('large', content)))

  test('goes up in parts', async () => {
    server.listPage = 2
    const { outcome, events } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    assert.equal(outcome.kind, 'succeeded')
    assert.deepEqual(server.objects.get('bucket/key'), {
      bytes: content.length,
      sha256: sha256(content),
      metadata: {},
      parts: 3
    })
    assert.deepEqual(
      events.map(({ level, message }) => [level, message]),
      [1, 2, 3].map((part) => ['trace', `uploaded part ${part} of 3`])
    )
    assert.deepEqual(operations(), [
      'Create',
      'UploadPart 1',
      'UploadPart 2',
      'UploadPart 3',
      'ListParts',
      'ListParts',
      'Complete'
    ])
    assert.deepEqual(server.openUploads, [])
    assert.equal(server.connectionsMade, 1, 'one connection serves all requests')
  })
})

/** The reason of an attempt that failed, for good or not. */
function reasonOf(outcome: StepOutcome): string {
  return outcome.kind === 'failed' || outcome.kind === 'retryLater' ? outcome.reason : outcome.kind
}

test('a file that is larger than any object is not uploaded', async () => {
  const path = folder.write('huge', '')
  truncateSync(path, 5 * 1024 * 1024 * MIB + 1)
  const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
  assert.equal(reasonOf(outcome), 'EntityTooLarge: the file is larger than any object')
  assert.deepEqual(server.requests, [])
})

describe('an upload that was interrupted', () => {
  const content = randomBytes(22 * MIB)
  let path = ''
  beforeEach(() => (path = folder.write('interrupted', content)))
  const partsSent = (): number[] => server.requests.flatMap(({ partNumber }) => partNumber ?? [])
  const assertStored = (): void => {
    assert.equal(server.objects.get('bucket/key')?.sha256, sha256(content))
    assert.deepEqual(server.openUploads, [])
  }
  const cutAtPart =
    (number: number, kind: 'reset' | 'cutAfter') =>
    ({ partNumber }: { partNumber: number | undefined }) =>
      partNumber === number ? ({ kind } as const) : undefined

  test('goes on behind the last part that was noted', async () => {
    server.misbehave = cutAtPart(3, 'reset')
    const first = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    assert.equal(first.outcome.kind, 'retryLater')
    server.misbehave = () => undefined
    const step = stepOf(taskOf(path), { state: first.state, resumed: true })
    assert.equal((await runTask(localS3Tasks(server.origin), step)).outcome.kind, 'succeeded')
    assert.deepEqual(partsSent(), [1, 2, 3, 3, 4, 5])
    assertStored()
  })

  test('does not send a part again that had arrived without being noted', async () => {
    server.misbehave = cutAtPart(3, 'cutAfter')
    const first = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    server.misbehave = () => undefined
    const step = stepOf(taskOf(path), { state: first.state, resumed: true })
    assert.equal((await runTask(localS3Tasks(server.origin), step)).outcome.kind, 'succeeded')
    assert.deepEqual(partsSent(), [1, 2, 3, 4, 5])
    assertStored()
  })

  test('sends a part again when the service holds another one in its place', async () => {
    server.misbehave = cutAtPart(3, 'cutAfter')
    const first = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    server.misbehave = () => undefined
    server.spoilPart(server.openUploads[0]!, 3)
    const step = stepOf(taskOf(path), { state: first.state, resumed: true })
    assert.equal((await runTask(localS3Tasks(server.origin), step)).outcome.kind, 'succeeded')
    assert.deepEqual(partsSent(), [1, 2, 3, 3, 4, 5])
    assertStored()
  })

  test('begins anew when the service has forgotten it', async () => {
    server.misbehave = cutAtPart(3, 'reset')
    const first = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    server.misbehave = () => undefined
    server.dropUpload(server.openUploads[0]!)
    const step = stepOf(taskOf(path), { state: first.state, resumed: true })
    const second = await runTask(localS3Tasks(server.origin), step)
    assert.match(reasonOf(second.outcome), /^NoSuchUpload: /)
    const third = await runTask(localS3Tasks(server.origin), { ...step, state: second.state, resumed: false })
    assert.equal(third.outcome.kind, 'succeeded')
    assertStored()
  })

  test('begins anew when the file was replaced, and leaves no parts behind', async () => {
    server.misbehave = cutAtPart(3, 'reset')
    const first = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    server.misbehave = () => undefined
    const other = randomBytes(11 * MIB)
    renameSync(folder.write('other', other), path)
    const step = stepOf(taskOf(path), { state: first.state, resumed: true })
    const second = await runTask(localS3Tasks(server.origin), step)
    assert.equal(reasonOf(second.outcome), 'InputFileChanged: the file has changed')
    const third = await runTask(localS3Tasks(server.origin), { ...step, state: second.state, resumed: false })
    assert.equal(third.outcome.kind, 'succeeded')
    assert.equal(server.objects.get('bucket/key')?.sha256, sha256(other))
    assert.deepEqual(server.openUploads, [])
  })

  test('is removed from the service when it is given up', async () => {
    server.misbehave = cutAtPart(2, 'reset')
    const { state } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    assert.equal(server.openUploads.length, 1)
    const abort = stepOf('', { message: undefined, action: 'abort', state })
    const { outcome, events } = await runTask(localS3Tasks(server.origin), abort)
    assert.deepEqual([outcome.kind, events], ['failed', []])
    assert.deepEqual(server.openUploads, [])
  })

  test('warns when it cannot be removed', async () => {
    server.misbehave = cutAtPart(2, 'reset')
    const { state } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    server.misbehave = () => ({ kind: 'error', status: 403, code: 'AccessDenied' })
    const abort = stepOf('', { message: undefined, action: 'abort', state })
    const { outcome } = await runTask(localS3Tasks(server.origin), abort)
    assert.deepEqual(outcome.events, [
      {
        level: 'warn',
        status: 'warning',
        message: 'unfinished upload could not be removed: AccessDenied: as the test wants it'
      }
    ])
  })

  test('begins anew after a completion that failed in an answer of status 200', async () => {
    server.misbehave = ({ operation }) =>
      operation === 'Complete' ? { kind: 'error', status: 200, code: 'InternalError' } : undefined
    const first = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    assert.equal(first.outcome.kind, 'retryLater')
    assert.match(reasonOf(first.outcome), /^InternalError: /)
    server.misbehave = () => undefined
    const second = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path), { state: first.state }))
    assert.equal(second.outcome.kind, 'succeeded')
    assert.deepEqual(partsSent(), [1, 2, 3, 4, 5])
    assertStored()
  })
})

describe('a file that changes during the upload', () => {
  const content = randomBytes(11 * MIB)
  let path = ''
  beforeEach(() => {
    path = folder.write('changing', content)
  })

  /** Does something to the file once the service has taken its first part. */
  const runWith = (change: () => void): ReturnType<typeof runTask> => {
    let isChanged = false
    return runTask(localS3Tasks(server.origin), stepOf(taskOf(path)), ({ state }) => {
      if (isChanged || state?.includes('"partsDone":1') !== true) return
      isChanged = true
      change()
    })
  }

  test('and grows is uploaded as far as it went, with a warning', async () => {
    const { outcome, events } = await runWith(() => appendFileSync(path, 'more'))
    assert.equal(outcome.kind, 'succeeded')
    assert.equal(server.objects.get('bucket/key')?.sha256, sha256(content))
    assert.deepEqual(
      events.filter(({ status }) => status === 'warning').map(({ message }) => message),
      [`file has grown: only its first ${content.length} bytes were uploaded`]
    )
  })

  test('and grows after its beginning was overwritten is not stored as a mixture', async () => {
    const { outcome } = await runWith(() => writeFileSync(path, Buffer.alloc(12 * MIB, 1)))
    assert.equal(reasonOf(outcome), 'UploadMismatch: the file has changed during the upload')
    assert.deepEqual([server.objects.size, server.openUploads], [0, []])
  })

  for (const [what, change, end] of [
    ['shrinks', () => truncateSync(path, 6 * MIB), 'failed'],
    ['vanishes', () => rmSync(path), 'failed'],
    ['is replaced', () => writeFileSync(path, Buffer.alloc(11 * MIB, 1)), 'retryLater']
  ] as const) {
    test(`and ${what} while S3 cannot be reached has its parts removed before anything else`, async () => {
      const cut = await runWith(() => {
        change()
        server.misbehave = ({ operation }) => (operation === 'Abort' ? { kind: 'reset' } : undefined)
      })
      assert.equal(cut.outcome.kind, 'retryLater')
      assert.deepEqual([cut.outcome.events, server.openUploads.length], [[], 1])
      server.misbehave = () => undefined
      const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path), { state: cut.state }))
      assert.deepEqual([outcome.kind, server.openUploads], [end, []])
    })
  }

  test('and shrinks fails the task', async () => {
    const { outcome } = await runWith(() => truncateSync(path, 6 * MIB))
    assert.deepEqual(outcome, {
      kind: 'failed',
      reason: 'InputFileShrunk: the file has become shorter',
      events: []
    })
    assert.deepEqual([server.objects.size, server.openUploads], [0, []])
  })

  test('and vanishes fails the task', async () => {
    const { outcome } = await runWith(() => rmSync(path))
    assert.equal(reasonOf(outcome), 'InputFileNotFound: the input file does not exist')
    assert.deepEqual([server.objects.size, server.openUploads], [0, []])
  })

  for (const [name, bytes] of [
    ['one request', 4 * MIB],
    ['a part', 11 * MIB]
  ] as const) {
    test(`and shrinks in the middle of ${name} fails the task`, async () => {
      writeFileSync(path, content.subarray(0, bytes))
      const run = localS3Tasks(server.origin)
      let pieces = 0
      const pace = (): Promise<void> => {
        if (++pieces === 10) truncateSync(path, 100_000)
        return Promise.resolve()
      }
      let step = stepOf(taskOf(path))
      let outcome: StepOutcome
      for (;;) {
        outcome = await run(step, pace, new AbortController().signal)
        if (outcome.kind !== 'continued') break
        step = { ...step, state: outcome.state }
      }
      assert.equal(reasonOf(outcome), 'InputFileShrunk: the file has become shorter')
      assert.deepEqual([server.objects.size, server.openUploads], [0, []])
    })
  }

  test('again and again fails the task in the end', async () => {
    const run = localS3Tasks(server.origin)
    let step = stepOf(taskOf(folder.write('restless', 'text 0')))
    const reasons: string[] = []
    for (let version = 1; version < 10; version++) {
      const looked = await run(step, () => Promise.resolve(), new AbortController().signal)
      if (looked.kind === 'continued') step = { ...step, state: looked.state }
      renameSync(folder.write('next', `text ${version}`), `${folder.path}/restless`)
      const outcome = await run(step, () => Promise.resolve(), new AbortController().signal)
      reasons.push(outcome.kind)
      if (outcome.kind !== 'retryLater') break
      step = { ...step, state: outcome.state ?? step.state }
      renameSync(folder.write('next', `again ${version}`), `${folder.path}/restless`)
    }
    assert.equal(reasons.at(-1), 'failed')
    assert.ok(reasons.length > 1 && reasons.length < 8, String(reasons))
    assert.equal(server.requests.length, 0)
  })
})

describe('an answer', () => {
  let path = ''
  beforeEach(() => (path = folder.write('answered', 'content')))

  for (const [status, code] of [
    [503, 'SlowDown'],
    [500, 'InternalError'],
    [429, 'TooManyRequests'],
    [400, 'RequestTimeout'],
    [403, 'RequestTimeTooSkewed'],
    [400, 'ExpiredToken'],
    [400, 'BadDigest'],
    [307, 'TemporaryRedirect']
  ] as const) {
    test(`of ${code} is no reason to give up`, async () => {
      server.misbehave = () => ({ kind: 'error', status, code })
      const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
      assert.equal(outcome.kind, 'retryLater')
      assert.equal(reasonOf(outcome), `${code}: as the test wants it`)
    })
  }

  test('may ask for a pause', async () => {
    const [date, early] = [UPLOAD_TIME_MS + 9_000, UPLOAD_TIME_MS - 86_400_000].map((ms) => new Date(ms).toUTCString())
    for (const [wrong, waitMs] of [
      [{ kind: 'error', status: 503, code: 'SlowDown', retryAfter: '7' }, 7_000],
      [{ kind: 'error', status: 503, code: 'SlowDown', retryAfter: date ?? '' }, 9_000],
      [{ kind: 'error', status: 503, code: 'SlowDown', retryAfter: date ?? '', date: early ?? '' }, 86_409_000],
      [{ kind: 'html', status: 503, retryAfter: '5' }, 5_000]
    ] as const) {
      server.misbehave = () => wrong
      const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
      assert.equal(outcome.kind === 'retryLater' && outcome.waitMs, waitMs)
    }
  })

  for (const [status, code] of [
    [403, 'AccessDenied'],
    [400, 'InvalidArgument'],
    [400, 'EntityTooLarge'],
    [404, 'NoSuchBucket'],
    [301, 'PermanentRedirect']
  ] as const) {
    test(`of ${code} is final`, async () => {
      server.misbehave = () => ({ kind: 'error', status, code })
      const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
      assert.deepEqual(outcome, { kind: 'failed', reason: `${code}: as the test wants it`, events: [] })
    })
  }

  for (const kind of ['reset', 'empty200', 'cutAfter'] as const) {
    test(`that is broken (${kind}) is no success`, async () => {
      server.misbehave = () => ({ kind })
      const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
      assert.equal(outcome.kind, 'retryLater')
    })
  }

  for (const status of [200, 403, 404, 502]) {
    test(`of status ${status} that is not from S3 is neither success nor failure`, async () => {
      server.misbehave = () => ({ kind: 'html', status })
      const small = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
      assert.equal(small.outcome.kind, 'retryLater', JSON.stringify(small.outcome))
      const large = stepOf(taskOf(folder.write('answered-large', Buffer.alloc(6 * MIB))))
      assert.equal((await runTask(localS3Tasks(server.origin), large)).outcome.kind, 'retryLater')
    })
  }

  for (const [kind, waitMs, bytes] of [
    ['hang', 60_000, 7],
    ['drip', 60_000, 7],
    ['stuck', 300_000, 30 * MIB]
  ] as const) {
    test(`that never comes (${kind}) ends the request, and its connection`, async () => {
      const clock = createFakeClock()
      server.misbehave = () => ({ kind })
      const file = folder.write(kind, Buffer.alloc(bytes))
      const definition = { kind: 's3', identifier: 'e', sizeThresholdForMultipartUploadBytes: 2n ** 40n } as const
      const running = runTask(localS3Tasks(server.origin, {}, clock), stepOf(taskOf(file), { definition }))
      await server.until(({ operation }) => operation === 'PutObject')
      const over = new AbortController()
      void running.then(() => over.abort())
      const beganMs = clock.monotonicMs()
      while (!over.signal.aborted) await clock.advanceAsync(1_000)
      assert.ok(clock.monotonicMs() - beganMs >= waitMs)
      assert.match(reasonOf((await running).outcome), /^TimeoutError: /)
      // Who does not read does not notice that the connection was closed.
      while (kind !== 'stuck' && server.connections > 0) await flush()
    })
  }

  for (const status of [200, 403]) {
    test(`of status ${status} that begins before the body is sent has a minute to end`, async () => {
      const clock = createFakeClock()
      server.misbehave = () => ({ kind: 'unended', status })
      const definition = { kind: 's3', identifier: 'e', sizeThresholdForMultipartUploadBytes: 2n ** 40n } as const
      const file = folder.write('unended', Buffer.alloc(30 * MIB))
      const running = runTask(localS3Tasks(server.origin, {}, clock), stepOf(taskOf(file), { definition }))
      // One timer waits for progress of the body, the other one for the end of the answer.
      while (clock.pendingTimers < 2) await flush()
      await clock.advanceAsync(59_999)
      assert.equal(clock.pendingTimers, 2)
      clock.advance(1)
      assert.equal(clock.pendingTimers, 1)
      assert.equal((await running).outcome.kind, 'retryLater')
      assert.equal(clock.pendingTimers, 0)
    })
  }

  test('that comes before the body leaves no connection behind', async () => {
    server.misbehave = ({ operation }) =>
      operation === 'UploadPart' ? { kind: 'early', status: 403, code: 'AccessDenied' } : undefined
    const large = stepOf(taskOf(folder.write('early', Buffer.alloc(11 * MIB))))
    const { outcome } = await runTask(localS3Tasks(server.origin), large)
    assert.equal(outcome.kind, 'failed')
    assert.deepEqual(server.openUploads, [])
    while (server.connections > 1) await new Promise((resolve) => setImmediate(resolve))
  })

  test('that names the region of the bucket is followed once', async () => {
    server.misbehave = ({ region }) =>
      region === 'us-west-2'
        ? undefined
        : { kind: 'error', status: 400, code: 'AuthorizationHeaderMalformed', region: 'us-west-2' }
    const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    assert.equal(outcome.kind, 'succeeded')
    assert.deepEqual(
      server.requests.map(({ region }) => region),
      ['eu-central-1', 'us-west-2']
    )
  })

  test('that sends from region to region is not followed for ever', async () => {
    server.misbehave = ({ region }) => ({
      kind: 'error',
      status: 301,
      code: 'PermanentRedirect',
      region: region === 'us-west-2' ? 'us-east-1' : 'us-west-2'
    })
    const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    assert.equal(outcome.kind, 'failed')
    assert.equal(server.requests.length, 2)
  })

  test('that names no region at all but a host is not followed', async () => {
    server.misbehave = () => ({
      kind: 'error',
      status: 301,
      code: 'PermanentRedirect',
      region: 'evil.example/x-us-west-2'
    })
    const { outcome } = await runTask(localS3Tasks(server.origin), stepOf(taskOf(path)))
    assert.equal(outcome.kind, 'failed')
    assert.equal(server.requests.length, 1)
  })
})

test('an aborted step ends at once, and its request with it', async () => {
  server.misbehave = () => ({ kind: 'hang' })
  const abort = new AbortController()
  const run = localS3Tasks(server.origin)
  const step = stepOf(taskOf(folder.write('aborted', 'content')))
  const looked = await run(step, () => Promise.resolve(), abort.signal)
  assert.ok(looked.kind === 'continued')
  const putting = run({ ...step, state: looked.state }, () => Promise.resolve(), abort.signal)
  await server.until(({ operation }) => operation === 'PutObject')
  abort.abort()
  assert.deepEqual(await putting, { kind: 'retryLater', reason: 'AbortError: aborted', events: [] })
  while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve))
})

test('bodies ask for their bandwidth piece by piece', async () => {
  const asked: number[] = []
  const run = localS3Tasks(server.origin, { chunkBytes: 1_000 })
  const pace = (bytes: number): Promise<void> => {
    asked.push(bytes)
    return Promise.resolve()
  }
  const signal = new AbortController().signal
  const step = stepOf(taskOf(folder.write('paced', Buffer.alloc(2_500))))
  const looked = await run(step, pace, signal)
  assert.ok(looked.kind === 'continued')
  assert.equal((await run({ ...step, state: looked.state }, pace, signal)).kind, 'succeeded')
  assert.deepEqual(asked, [1_000, 1_000, 500])
})
