import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHistory, HISTORY_MS } from '../../../../component/monitor/page/history.ts'
import { exportOf, snapshotOf, streamOf } from '../../../helpers/page-state.ts'

describe('the history of the page', () => {
  it('takes throughput from the numbers given between two looks', () => {
    const history = createHistory()
    history.add(snapshotOf([streamOf({ next: 100, messagesPerSecond: 7 })]), 1_000)
    history.add(snapshotOf([streamOf({ next: 300, messagesPerSecond: 7 })]), 3_000)
    assert.deepEqual(
      history.throughput('sensor').map(({ value }) => value),
      [7, 100]
    )
  })

  it('begins anew with a stream that was deleted and made again', () => {
    const history = createHistory()
    history.add(snapshotOf([streamOf({ next: 100 })]), 1_000)
    history.add(snapshotOf([streamOf({ next: 0, messagesPerSecond: 3 })]), 3_000)
    assert.equal(history.throughput('sensor').at(-1)?.value, 3)
  })

  it('follows lag and state of each export', () => {
    const history = createHistory()
    const of = exportOf({ waitingMessages: 9, state: 'failing' })
    history.add(snapshotOf([streamOf({ exports: [of] })]), 5)
    assert.deepEqual(history.lag('sensor', 'cloud'), [{ atMs: 5, value: 9, state: 'failing' }])
  })

  it('forgets what is older than five minutes, and what is gone', () => {
    const history = createHistory()
    for (let atMs = 0; atMs <= 2 * HISTORY_MS; atMs += 2_000) history.add(snapshotOf([streamOf()]), atMs)
    const kept = history.throughput('sensor')
    assert.equal(kept[0]?.atMs, HISTORY_MS)
    history.add(snapshotOf([]), 2 * HISTORY_MS + 2_000)
    assert.deepEqual(history.throughput('sensor'), [])
  })

  it('has a bound, however fast it is fed and however many streams there are', () => {
    const history = createHistory()
    const streams = Array.from({ length: 1_000 }, (_, index) => streamOf({ name: `s${index}` }))
    for (let atMs = 0; atMs < 1_000; atMs += 1) history.add(snapshotOf(streams.slice(0, 2)), atMs)
    assert.equal(history.throughput('s0').length, 160)
    history.add(snapshotOf(streams), 1_000)
    const followed = streams.filter(({ name }) => history.throughput(name).length > 0)
    assert.equal(followed.length, 400)
  })
})
