import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readBytes, readDuration } from '../../../component/base/read-quantity.ts'

it('reads sizes and durations with their units, and nothing else', () => {
  assert.deepEqual(['65536', '64k', '64 KiB', '1g', '2MB', '7 bytes'].map(readBytes), [
    65_536n,
    65_536n,
    65_536n,
    1024n ** 3n,
    2n * 1024n ** 2n,
    7n
  ])
  assert.deepEqual(
    ['500ms', '90s', '15m', '15min', '1.5h', '7d', '2w'].map(readDuration),
    [500, 90_000, 900_000, 900_000, 5_400_000, 604_800_000, 1_209_600_000]
  )
  for (const text of ['', '-1', '1e3', '64q', 'k', '1 2']) assert.equal(readBytes(text), undefined, text)
  for (const text of ['', '5', '-5m', '5y', 'm', '1h30']) assert.equal(readDuration(text), undefined, text)
})
