import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatTime } from '../../../../component/sinks/s3/date-pattern.ts'
import { resolveKey } from '../../../../component/sinks/s3/object-key.ts'
import { readVectors } from '../../../helpers/vectors.ts'

interface DateVectors {
  readonly instants: readonly string[]
  readonly patterns: Readonly<Record<string, readonly (string | null)[]>>
}

describe('a date pattern', () => {
  const { instants, patterns } = readVectors('date-patterns.json') as DateVectors
  for (const [pattern, expected] of Object.entries(patterns)) {
    it(`${pattern} is written as Java writes it`, () => {
      const written = instants.map((instant) => {
        const time = formatTime(pattern, Date.parse(instant))
        return time.ok ? time.text : null
      })
      assert.deepEqual(written, expected)
    })
  }

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
