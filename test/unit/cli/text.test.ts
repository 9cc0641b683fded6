import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageProblem } from '../../../component/cli/command.ts'
import { hintFor } from '../../../component/cli/nearest.ts'
import { tableText, wrap } from '../../../component/cli/table.ts'
import { parseBytes, parseDuration, parseMoment, safeText } from '../../../component/cli/text.ts'

test('sizes and durations are read with their units, and nothing else is', () => {
  assert.deepEqual(
    ['65536', '64k', '64 KiB', '1g', '2MB', '7 bytes'].map((text) => parseBytes('x', text)),
    [65_536n, 65_536n, 65_536n, 1024n ** 3n, 2n * 1024n ** 2n, 7n]
  )
  assert.deepEqual(
    ['500ms', '90s', '15m', '15min', '1.5h', '7d', '2w'].map((text) => parseDuration('x', text)),
    [500, 90_000, 900_000, 900_000, 5_400_000, 604_800_000, 1_209_600_000]
  )
  for (const text of ['', '-1', '1e3', '64q', 'k', '1 2'])
    assert.throws(() => parseBytes('x', text), UsageProblem, text)
  for (const text of ['', '5', '-5m', '5y', 'm', '1h30'])
    assert.throws(() => parseDuration('x', text), UsageProblem, text)
})

test('a moment is a date, or how long ago it is', () => {
  assert.equal(parseMoment('x', '15m', 1_000_000), 100_000)
  assert.equal(parseMoment('x', '2026-11-24T17:00:00Z', 0), Date.UTC(2026, 10, 24, 17))
  assert.equal(parseMoment('x', '2026-11-24 17:00:00+01:00', 0), Date.UTC(2026, 10, 24, 16))
  for (const text of ['yesterday', '17:00', '2026-13-01', '12'])
    assert.throws(() => parseMoment('x', text, 0), UsageProblem, text)
})

test('a foreign text cannot drive the terminal', () => {
  assert.equal(safeText('a\u001b]0;x\u0007\n\u202eb\u2028'), 'a\\u001b]0;x\\u0007\\n\\u202eb\\u2028')
})

test('tables stand in columns, and the elastic ones give way to a narrow terminal', () => {
  const columns = [
    { title: 'NAME', isElastic: true },
    { title: 'N', isNumber: true },
    { title: 'TEXT', isElastic: true }
  ]
  const rows = [
    ['a long name of a stream', '1', 'short'],
    ['b', '1,000', 'x']
  ]
  assert.equal(
    tableText(columns, rows, undefined),
    'NAME                         N  TEXT\na long name of a stream      1  short\nb                        1,000  x\n'
  )
  const narrow = tableText(columns, rows, 26)
  assert.ok(
    narrow.split('\n').every((line) => line.length <= 26),
    narrow
  )
  assert.match(narrow, /^a long .*… +1 {2}short$/m)
  // Narrower than it can get, it is as narrow as it can.
  assert.ok(tableText(columns, rows, 1).includes('a long …'))
})

test('a long text is broken at blanks', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three'])
  assert.deepEqual(wrap('abcdefghij x', 4), ['abcdefghij', 'x'])
})

test('a hint is given for what is near, and for nothing else', () => {
  assert.equal(hintFor('batchsize', ['batchSize', 'priority']), ' (did you mean "batchSize"?)')
  assert.equal(hintFor('pirority', ['batchSize', 'priority']), ' (did you mean "priority"?)')
  assert.equal(hintFor('x', ['batchSize']), '')
  assert.equal(hintFor('y'.repeat(1000), ['y'.repeat(999)]), '')
})
