import assert from 'node:assert/strict'
import { it } from 'node:test'
import { percentText, rangeText } from '../../../../component/monitor/page/words.ts'

it('writes shares and ranges so that they can be read', () => {
  assert.deepEqual([0, 0.001, 0.5, 0.999, 1, 1.2].map(percentText), ['0 %', '< 1 %', '50 %', '99 %', '100 %', '120 %'])
  assert.deepEqual(
    [rangeText({ first: 1, last: 1 }), rangeText({ first: 1_000, last: 2_000 })],
    ['1', '1,000 to 2,000']
  )
})
