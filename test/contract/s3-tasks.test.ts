import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { createInputFolder, localS3Tasks, MIB, runTask, stepOf, taskOf } from '../helpers/s3-fixture.ts'
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
  })
})
