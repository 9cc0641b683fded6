import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bytesText, countText, durationText, numberText } from '../../../component/base/quantities.ts'

it('writes numbers so that they can be read', () => {
  assert.deepEqual([0, 0.04, 3.14, 12.6, 1_234_567].map(numberText), ['0', '0', '3.1', '13', '1,234,567'])
  assert.equal(numberText(2n ** 63n - 1n), '9,223,372,036,854,775,807')
  assert.deepEqual(
    [countText(1, 'message'), countText(2_000, 'message'), countText(2, 'entry', 'entries')],
    ['1 message', '2,000 messages', '2 entries']
  )
})

it('writes sizes with three digits and their unit', () => {
  assert.deepEqual([0, 1, 1023, 1024, 1536, 1024 ** 2 * 100, 1024 ** 3 * 2.5, 2 ** 60].map(bytesText), [
    '0 bytes',
    '1 byte',
    '1023 bytes',
    '1.0 KiB',
    '1.5 KiB',
    '100 MiB',
    '2.5 GiB',
    '1024 PiB'
  ])
})

it('writes durations in their two largest units', () => {
  assert.deepEqual([-5, 0, 20, 1_500, 2_000, 59_000, 60_000, 3_725_000, 176_400_000].map(durationText), [
    '0 s',
    '0 s',
    '20 ms',
    '1.5 s',
    '2 s',
    '59 s',
    '1 min',
    '1 h 2 min',
    '2 d 1 h'
  ])
})
