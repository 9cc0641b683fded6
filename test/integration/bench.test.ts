import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'

const execute = promisify(execFile)

const BENCH = join(import.meta.dirname, '..', 'bench', 'main.ts')
const TINY = ['--alone', '--seconds', '0.05', '--warm-up', '0.05', '--rounds', '1']
const STORED = ['--stored-messages', '2000', '--stored-gib', '0.01']
/** Every kind of load and of special measurement once; the others differ in numbers only. */
const SCENARIOS = ['pipelined', 'synchronous', 'flush', 'read', 'read-cold', 'append-while-reading', 'sdk', 'growth']

/** Cells of the rows of all tables, without headings and rules. */
function rowsOf(output: string): string[][] {
  const lines = output.split('\n').filter((line) => line.startsWith('|'))
  const rows = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  )
  return rows.filter((row, index) => !row[0]?.startsWith('-') && rows[index + 1]?.[0]?.startsWith('-') !== true)
}

it('the whole benchmark runs against the built server', async () => {
  const { stdout } = await execute(process.execPath, ['--import', 'tsx', BENCH, ...TINY, ...STORED, ...SCENARIOS])
  const titles = stdout.match(/^### /gm) ?? []
  assert.equal(titles.length, SCENARIOS.length)
  const rows = rowsOf(stdout)
  const own = rows.filter(([name]) => name?.startsWith('stream-manager'))
  // One each in the first two tables, then 3 loads of flush, 4 of read, 2 of read-cold, 2 beside reads, 3 of the SDK.
  assert.equal(own.length, 16)
  assert.equal(rows.length - own.length, 5, 'the echo, the syncs without a server, and three sizes of a growing store')
  for (const row of rows) {
    assert.ok(!row.includes('NaN'), row.join(' '))
    assert.ok(row.length > 7 && row.filter((cell) => cell === '-').length <= 2, row.join(' '))
  }
  assert.doesNotMatch(stdout, /nats-server \||redis-server \|/)
})
