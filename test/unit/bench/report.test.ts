import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeReport } from '../../bench/report/page.ts'
import { CHART_FOLDER, DOCUMENT_FILE, formatted, mergeResults, readResults } from '../../bench/results.ts'
import { comparison, MACHINE, measurement, resultsOf } from '../../helpers/bench-results.ts'

const slow = measurement({ server: 'nats-server', rate: { median: 60_000, min: 60_000, max: 60_000 } })

describe('the performance document', () => {
  it('shows the medians, the spread and the load of the client', () => {
    const { page } = makeReport(resultsOf(comparison('other', [measurement({ generatorShare: 0.95 })])))
    const row = page.split('\n').find((line) => line.startsWith('| stream-manager |'))
    const cells = row?.split('|').map((cell) => cell.trim())
    assert.deepEqual(cells, [
      '',
      'stream-manager',
      '120,000',
      '±10 %',
      '123',
      '1,230',
      '4,320',
      '9,880',
      '6',
      '99.6',
      '95 %, yes',
      ''
    ])
  })

  it('sums up how this server compares', () => {
    const { page } = makeReport(resultsOf(comparison('pipelined', [measurement(), slow])))
    assert.match(page, /messages\/s, to nats-server\s+\|\s+120,000 to 60,000: 2 ×/)
    assert.doesNotMatch(page, /to redis-server/)
  })

  it('names machine and versions, and who took no part', () => {
    const { page } = makeReport(resultsOf())
    assert.match(page, /A Processor, 2 cores/)
    assert.match(page, /nats-server\s+\|\s+2\.9\.10/)
    assert.match(page, /redis-server\s+\|\s+not installed/)
  })

  it('shows charts with their numbers as text', () => {
    const { page, charts } = makeReport(resultsOf(comparison('pipelined', [measurement(), slow])))
    assert.match(page, /!\[Title of pipelined, .*nats-server 60,000.*\]\(performance\/pipelined-rate\.svg\)/)
    assert.deepEqual([...charts.keys()], ['pipelined-rate.svg', 'pipelined-cpu.svg'])
  })

  it('keeps what was not measured again', () => {
    const first = comparison('pipelined', [measurement()])
    const second = comparison('read', [measurement()])
    const newer = comparison('read', [slow])
    const merged = mergeResults(resultsOf(second, first), MACHINE, [newer], ['pipelined', 'read'])
    assert.deepEqual(merged.scenarios, [first, newer])
  })

  it('is what the kept results give', async () => {
    const { page, charts } = makeReport(readResults())
    assert.equal(readFileSync(DOCUMENT_FILE, 'utf8'), await formatted(DOCUMENT_FILE, page))
    const files = existsSync(CHART_FOLDER) ? readdirSync(CHART_FOLDER).filter((name) => name.endsWith('.svg')) : []
    assert.deepEqual(files.sort(), [...charts.keys()].sort())
    for (const [name, svg] of charts) assert.equal(readFileSync(join(CHART_FOLDER, name), 'utf8'), svg)
  })
})
