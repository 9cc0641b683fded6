import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageProblem } from '../../../component/cli/command.ts'
import { tableText, wrap } from '../../../component/cli/table.ts'
import { parseBytes, parseDuration, parseMoment, safeText } from '../../../component/cli/text.ts'

test('an option that is no size or duration is named, with what it may be', () => {
  assert.equal(parseBytes('--x', '64k'), 65_536n)
  assert.equal(parseDuration('--x', '90s'), 90_000)
  assert.throws(
    () => parseBytes('--x', '64q'),
    new UsageProblem('--x must be a size such as 65536, 64k, 256MiB or 1g, not "64q"')
  )
  assert.throws(
    () => parseDuration('--x', '5'),
    new UsageProblem('--x must be a duration such as 90s, 15m, 12h or 7d, not "5"')
  )
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
