import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { linkedStream, linkTo, type MessagesResult } from '../../../../component/monitor/page/state.ts'
import { pageView } from '../../../../component/monitor/page/view.ts'
import { textOf } from '../../../../component/monitor/page/view-node.ts'
import { exportOf, findAll, snapshotOf, stateOf, streamOf } from '../../../helpers/page-state.ts'

const failing = streamOf({
  name: 'vibration',
  exports: [
    exportOf({ state: 'failing', error: 'AccessDeniedException: no', meaning: 'it may not', remedy: 'allow it' })
  ]
})
const well = streamOf({ name: 'sensor', exports: [exportOf()] })

describe('the page', () => {
  it('begins with cause and remedy of what fails', () => {
    const text = textOf(pageView(stateOf({ snapshot: snapshotOf([well, failing]) })))
    assert.match(text, /1 problem[\s\S]*Export cloud of vibration fails[\s\S]*What to do: Allow it\.[\s\S]*Streams/)
  })

  it('says that all is well', () => {
    const views = pageView(stateOf({ snapshot: snapshotOf([well]) }))
    assert.match(textOf(views), /All is well/)
    assert.equal(findAll(views, ({ attributes }) => attributes['id'] === 'attention').length, 0)
  })

  it('says that there is nothing yet, and that there are no streams', () => {
    assert.match(textOf(pageView(stateOf())), /Waiting for the first answer/)
    assert.match(textOf(pageView(stateOf({ snapshot: snapshotOf([]) }))), /There are no streams/)
  })

  it('says since when the server is silent, unless it is not asked', () => {
    const silent = stateOf({ nowMs: 9_000, silence: { sinceMs: 3_000, reason: 'It cannot be reached.' } })
    assert.match(textOf(pageView(silent)), /No answer from the server for 6 s\. .*It cannot be reached\./)
    assert.doesNotMatch(textOf(pageView({ ...silent, isPaused: true })), /No answer/)
  })

  it('names every column, row and drawing', () => {
    const views = pageView(stateOf({ snapshot: snapshotOf([well, failing]), selected: 'sensor' }))
    const tables = findAll(views, ({ tag }) => tag === 'table')
    assert.ok(tables.length >= 3)
    for (const table of tables) {
      const columns = findAll([table], ({ attributes }) => attributes['role'] === 'columnheader').length
      assert.equal(findAll([table], ({ tag }) => tag === 'caption').length, 1)
      for (const row of findAll([table], ({ tag }) => tag === 'tbody')[0]?.children ?? [])
        assert.equal(typeof row === 'string' ? 0 : row.children.length, columns)
    }
    const drawings = findAll(views, ({ tag }) => tag === 'svg')
    assert.ok(drawings.length >= 4)
    for (const { attributes } of drawings) assert.ok(attributes['aria-label'] ?? attributes['aria-hidden'])
  })

  it('has no two things of one id or, among siblings, of one key', () => {
    const state = stateOf({ snapshot: snapshotOf([well, failing]), selected: 'vibration' })
    const ids = findAll(pageView(state), ({ attributes }) => attributes['id'] !== undefined)
    const names = ids.map(({ attributes }) => attributes['id'])
    assert.deepEqual(names, [...new Set(names)])
    for (const { children } of findAll(pageView(state), () => true)) {
      const keys = children.flatMap((child) => (typeof child === 'string' ? [] : (child.key ?? [])))
      assert.deepEqual(keys, [...new Set(keys)])
    }
  })

  it('shows 50 of ten thousand streams, those with problems among them, and finds others by name', () => {
    const many = Array.from({ length: 9_999 }, (_, index) => streamOf({ name: `line ${index}` }))
    const snapshot = snapshotOf([...many, failing])
    const shown = (filter: string): string[] => {
      const views = pageView(stateOf({ snapshot, filter }))
      const streams = findAll(views, ({ key }) => key === 'streams')
      return findAll(streams, ({ attributes }) => attributes['role'] === 'rowheader').map((cell) => textOf(cell))
    }
    assert.equal(shown('').length, 50)
    assert.equal(shown('')[0], 'vibration')
    assert.deepEqual(shown(' Line 4711 '), ['line 4711'])
  })

  it('links to streams of any name', () => {
    for (const name of ['a', 'a b,c.-_', '..', 'x=1']) assert.equal(linkedStream(linkTo(name)), name)
    for (const fragment of ['', '#', '#stream=', '#stream=%', '#other']) assert.equal(linkedStream(fragment), undefined)
  })

  it('offers messages, shows them in turn, and says why there are none', () => {
    const messages = [{ sequenceNumber: 7, ingestTimeMs: 0, sizeBytes: 900, bytes: Buffer.from('{"a":1}') }]
    const textFor = (result: MessagesResult): string => {
      const state = stateOf({
        snapshot: snapshotOf([well]),
        selected: 'sensor',
        messages: { stream: 'sensor', result }
      })
      return textOf(findAll(pageView(state), ({ key }) => key === 'messages'))
    }
    assert.match(textFor({ kind: 'failed', reason: 'It may not.' }), /Show.*It may not\./)
    assert.match(
      textFor({ kind: 'there', messages }),
      /Read again.*JSON.*Message 7.*900 bytes · of which 7 bytes.*\{"a":1\}/
    )
    assert.match(textFor({ kind: 'there', messages: [] }), /There are none/)
  })

  it('says what did not get to a destination, and the charts in numbers', () => {
    const of = exportOf({
      skippedMessages: 2,
      skippedRanges: [{ first: 4, last: 5, count: 2, reason: 'RecordTooLarge: a' }]
    })
    const state = stateOf({ snapshot: snapshotOf([streamOf({ exports: [of] })]), selected: 'sensor', nowMs: 60_000 })
    for (const atMs of [0, 30_000, 60_000]) state.history.add(state.snapshot ?? snapshotOf([]), atMs)
    const text = textOf(findAll(pageView(state), ({ key }) => key === 'detail/sensor'))
    assert.match(text, /4 to 52skippedRecordTooLarge: a/)
    assert.match(text, /now00, up to date30 s ago00, up to date1 min ago50, up to date/)
  })
})
