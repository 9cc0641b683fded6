import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  bytesText,
  countText,
  durationText,
  numberText,
  percentText,
  rangeText
} from '../../../../component/monitor/page/words.ts'

it('writes quantities so that they can be read', () => {
  assert.deepEqual([0, 0.04, 3.14, 12.6, 1_234_567].map(numberText), ['0', '0', '3.1', '13', '1,234,567'])
  assert.deepEqual([0, 1_023, 1_536, 268_435_456, 2 ** 60].map(bytesText), [
    '0 B',
    '1023 B',
    '1.5 KiB',
    '256 MiB',
    '1024 PiB'
  ])
  assert.deepEqual([-1, 0.4, 59, 90, 3_600, 90_061].map(durationText), [
    '0 s',
    '0 s',
    '59 s',
    '1 min 30 s',
    '1 h',
    '1 d 1 h'
  ])
  assert.deepEqual([0, 0.001, 0.5, 0.999, 1, 1.2].map(percentText), ['0 %', '< 1 %', '50 %', '99 %', '100 %', '120 %'])
  assert.deepEqual([countText(1, 'message'), countText(2, 'message')], ['1 message', '2 messages'])
  assert.deepEqual(
    [rangeText({ first: 1, last: 1 }), rangeText({ first: 1_000, last: 2_000 })],
    ['1', '1,000 to 2,000']
  )
})
