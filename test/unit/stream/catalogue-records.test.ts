import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  catalogueKeys,
  decodeState,
  decodeSummary,
  encodeState,
  encodeSummary,
  parseCatalogueKey
} from '../../../component/stream/catalogue-records.ts'

test('a log state and a segment summary come back as they were written', () => {
  const state = {
    oldest: 3,
    next: 9,
    durable: { segmentBase: 3, offset: 812, next: 8, lastIngestMs: 1_700_000_000_000 }
  }
  assert.deepEqual(decodeState(encodeState(state)), state)
  const summary = { base: 0, next: 3, bytes: 300, lastIngestMs: 1_700_000_000_000 }
  assert.deepEqual(decodeSummary(encodeSummary(summary)), summary)
})

test('a value that cannot be read counts as absent', () => {
  assert.equal(decodeState(undefined), undefined)
  for (const text of [
    '',
    '{',
    '{}',
    '[1,2,3]',
    '[1,2,3,4,5,"6"]',
    '[1,2,3,4,5,-6]',
    '[1,2,3,4,5,6.5]',
    '[1,2,3,4,5,null]'
  ]) {
    assert.equal(decodeState(Buffer.from(text)), undefined, text)
    assert.equal(decodeSummary(Buffer.from(text)), undefined, text)
  }
})

test('keys can be taken apart, whatever the identifier', () => {
  const key = catalogueKeys.exportProgress('00ff', 'my export, no. 1')
  assert.deepEqual(parseCatalogueKey(key), { kind: 'export', streamId: '00ff', detail: 'my export, no. 1' })
  assert.deepEqual(parseCatalogueKey(catalogueKeys.boot), { kind: 'boot', streamId: '', detail: '' })
})
