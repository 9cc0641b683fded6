import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSyncLimiter } from '../../../component/store/index.ts'
import { flush } from '../../helpers/fake-clock.ts'

describe('a sync limiter', () => {
  it('runs so many at a time, in the order of their calls', async () => {
    const limit = createSyncLimiter(2)
    const begun: number[] = []
    const ends: (() => void)[] = []
    const all = [0, 1, 2, 3].map((id) =>
      limit(async () => {
        begun.push(id)
        await new Promise<void>((resolve) => ends.push(resolve))
        return id
      })
    )
    await flush()
    assert.deepEqual(begun, [0, 1])
    ends[0]?.()
    await flush()
    assert.deepEqual(begun, [0, 1, 2])
    ends[1]?.()
    ends[2]?.()
    await flush()
    ends[3]?.()
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3])
  })

  it('gives the place of a failed one to the next', async () => {
    const limit = createSyncLimiter(1)
    const failed = limit(() => Promise.reject(new Error('no')))
    const next = limit(() => Promise.resolve('yes'))
    await assert.rejects(failed, /no/)
    assert.equal(await next, 'yes')
  })
})
