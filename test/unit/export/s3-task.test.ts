import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseS3Task } from '../../../component/export/s3-task.ts'
import { readVectors } from '../../helpers/vectors.ts'

const TASK = { inputUrl: 'file:/a', bucket: 'my-bucket', key: 'my/key' }
const parse = (value: unknown): ReturnType<typeof parseS3Task> => parseS3Task(Buffer.from(JSON.stringify(value)))
const problemOf = (value: unknown): string | undefined => {
  const parsed = parse(value)
  return parsed.ok ? undefined : parsed.problem
}

interface JsonVectors {
  readonly cases: readonly {
    readonly name: string
    readonly direction: string
    readonly class: string
    readonly fields?: Readonly<Record<string, unknown>>
    readonly outcome: Readonly<Record<string, { readonly utf8?: string; readonly error?: string }>>
  }[]
}

/** Vectors abbreviate long texts. */
function expand(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { $repeat: text, n } = value as { readonly $repeat?: string; readonly n?: number }
  if (text !== undefined && n !== undefined) return text.repeat(n)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, expand(field)]))
}

describe('a task', () => {
  const recorded = (readVectors('json-payloads.json') as JsonVectors).cases.filter(
    ({ direction, class: name }) => direction === 'serialize' && name === 'S3ExportTaskDefinition'
  )

  it('is taken as each official client writes it', () => {
    let count = 0
    for (const { name, fields, outcome } of recorded) {
      for (const [client, { utf8 }] of Object.entries(outcome)) {
        if (utf8 === undefined || fields?.['inputUrl'] === undefined) continue
        const parsed = parseS3Task(Buffer.from(utf8))
        assert.ok(parsed.ok, `${name} of ${client}`)
        const { userMetadata, ...texts } = parsed.task
        const { userMetadata: metadata, ...wanted } = expand(fields) as Record<string, unknown>
        assert.deepEqual(texts, wanted)
        if (userMetadata !== undefined) assert.deepEqual(Object.fromEntries(userMetadata), metadata)
        count += 1
      }
    }
    assert.ok(count > 50, String(count))
  })

  it('is refused where all official clients refuse to write it', () => {
    const refused = recorded.filter(({ outcome }) => Object.values(outcome).every(({ error }) => error !== undefined))
    assert.ok(refused.length > 10, String(refused.length))
    for (const { name, fields } of refused) assert.notEqual(problemOf(expand(fields)), undefined, name)
  })

  for (const bucket of [
    'ab',
    'a'.repeat(64),
    'Abc',
    'a_b',
    '-ab',
    'ab-',
    'a..b',
    'a.-b',
    '.ab',
    '192.168.0.1',
    'é-b'
  ]) {
    it(`cannot go to a bucket named ${bucket}`, () => {
      assert.equal(problemOf({ ...TASK, bucket }), 'the bucket name is not valid')
    })
  }

  for (const bucket of ['abc', 'a'.repeat(63), 'a.b-c.1', '123', '1.2.3.4a']) {
    it(`can go to a bucket named ${bucket}`, () => assert.equal(problemOf({ ...TASK, bucket }), undefined))
  }

  for (const [value, problem] of [
    [[], 'the task is not a JSON object'],
    [null, 'the task is not a JSON object'],
    ['text', 'the task is not a JSON object'],
    [{}, 'inputUrl is missing or not text'],
    [{ ...TASK, key: null }, 'key is missing or not text'],
    [{ ...TASK, key: '' }, 'the key is not valid'],
    [{ ...TASK, userMetadata: [] }, 'userMetadata is not an object'],
    [{ ...TASK, userMetadata: { a: 1 } }, 'userMetadata has a value that is not text'],
    [{ ...TASK, inputUrl: 'x'.repeat(300_000) }, 'the task is too long']
  ] as const) {
    it(`${JSON.stringify(value).slice(0, 60)} is none: ${problem}`, () => assert.equal(problemOf(value), problem))
  }

  it('that cannot be used is given back as far as it could be read', () => {
    const parsed = parse({ inputUrl: 'file:/a', bucket: 7, other: 'x', userMetadata: null })
    assert.deepEqual(parsed.task, { inputUrl: 'file:/a', bucket: '', key: '', userMetadata: undefined })
  })

  it('is read from any bytes without harm', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text))
        ),
        (bytes) => {
          assert.equal(typeof parseS3Task(Buffer.from(bytes)).task.key, 'string')
        }
      )
    )
    assert.equal(parseS3Task(Buffer.from('['.repeat(200_000))).ok, false)
  })
})
