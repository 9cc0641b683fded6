import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatTime } from '../../../../component/sinks/s3/date-pattern.ts'
import { resolveKey } from '../../../../component/sinks/s3/object-key.ts'
import { readVectors } from '../../../helpers/vectors.ts'

/** What test/vectors/DatePatterns.java has recorded. */
interface DateVectors {
  readonly instants: readonly string[]
  /** A text for each of the instants. */
  readonly patterns: Readonly<Record<string, readonly (string | null)[]>>
  readonly refused: string
  readonly calendar: string
  /** What `calendar` is written as. */
  readonly times: Readonly<Record<string, string>>
}

const written = (pattern: string, instant: string): string | null => {
  const time = formatTime(pattern, Date.parse(instant))
  return time.ok ? time.text : null
}

describe('a date pattern', () => {
  const vectors = readVectors('date-patterns.json') as DateVectors
  const patterns = Object.entries(vectors.patterns)
  const weekYears = vectors.patterns['YYYY']
  const years = vectors.patterns['yyyy']

  it('is written as Java writes it', () => {
    assert.ok(patterns.length > 2_500)
    for (const [pattern, expected] of patterns) {
      for (const [index, instant] of vectors.instants.entries()) {
        const isYearOther = pattern.includes('Y') && weekYears?.[index] !== years?.[index]
        if (!isYearOther) assert.equal(written(pattern, instant), expected[index], `${pattern} at ${instant}`)
      }
    }
  })

  it('is refused when Java refuses it', () => {
    const refused = vectors.refused.split(' ')
    assert.ok(refused.length > 2_000)
    for (const pattern of refused) assert.equal(written(pattern, '2024-02-29T23:59:59.999Z'), null, pattern)
  })

  it('has the calendar of Java, from 1970 to 2099', () => {
    const times = Object.entries(vectors.times)
    assert.ok(times.length > 500)
    for (const [instant, text] of times) assert.equal(written(vectors.calendar, instant), text, instant)
  })

  // The example in the documentation of AWS uses YYYY for the calendar year.
  for (const [pattern, text] of [
    ['Y', '2020'],
    ['YY', '20'],
    ['YYYY/MM/dd', '2020/12/31']
  ] as const) {
    it(`${pattern} means the calendar year, also in the last days of the year`, () => {
      assert.deepEqual(formatTime(pattern, Date.parse('2020-12-31T23:59:59Z')), { ok: true, text })
    })
  }
})

describe('a key', () => {
  const resolve = (key: string): unknown => resolveKey(key, Date.parse('2024-02-09T03:04:05Z'))

  it('has all its placeholders replaced', () => {
    const template = 'a/!{timestamp:yyyy}/!{timestamp:MM/dd}-!{timestamp:HHmmss}.csv'
    assert.deepEqual(resolve(template), { ok: true, key: 'a/2024/02/09-030405.csv' })
  })

  it('without placeholders stays as it is', () => {
    assert.deepEqual(resolve('a!b/$&/c'), { ok: true, key: 'a!b/$&/c' })
  })

  it('with another namespace is refused', () => {
    assert.deepEqual(resolve('!{thing:name}/x'), {
      ok: false,
      problem: 'the namespace thing is not supported in a key'
    })
  })

  it('with letters that no pattern has is refused', () => {
    const problem = 'the pattern letters jj are not supported in a key'
    assert.deepEqual(resolve('!{timestamp:yyyy/jj}'), { ok: false, problem })
  })

  it('may have 1024 bytes once it is resolved', () => {
    assert.deepEqual(resolve('é'.repeat(512)), { ok: true, key: 'é'.repeat(512) })
    assert.deepEqual(resolve(`${'é'.repeat(510)}!{timestamp:yyyyy}`), { ok: false, problem: 'the key is too long' })
  })
})
