import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { planRequest, type RequestPlan } from '../../../../component/sinks/sitewise/request.ts'
import type { StoredMessage } from '../../../../component/model/message.ts'

const WALL_MS = 1_700_000_000_000

interface Sample {
  readonly alias: string
  readonly seconds: readonly number[]
  readonly id?: string
}

function messagesOf(...samples: readonly (Sample | string)[]): StoredMessage[] {
  return samples.map((sample, sequenceNumber) => {
    const text =
      typeof sample === 'string'
        ? sample
        : JSON.stringify({
            entryId: sample.id ?? 'same',
            propertyAlias: sample.alias,
            propertyValues: sample.seconds.map((seconds) => ({
              value: { integerValue: sequenceNumber },
              timestamp: { timeInSeconds: 1_700_000_000 + seconds }
            }))
          })
    return { sequenceNumber, ingestTimeMs: 0, payload: Buffer.from(text) }
  })
}

const plan = (...samples: readonly (Sample | string)[]): RequestPlan => planRequest(messagesOf(...samples), WALL_MS, 10)
const sent = (of: RequestPlan): number[] => of.entries.map((entry) => entry.index)

test('ids stay when they are free, others are made up', () => {
  const { entries, body } = plan(
    { alias: '/a', seconds: [0], id: 'one' },
    { alias: '/b', seconds: [0], id: 'one' },
    { alias: '/c', seconds: [0], id: 'message-1' },
    { alias: '/d', seconds: [0], id: 'message-3' }
  )
  assert.deepEqual(
    entries.map((entry) => entry.id),
    ['one', 'message-1', 'message-2', 'message-3']
  )
  const onWire = JSON.parse(body) as { entries: readonly { entryId: string; propertyAlias: string }[] }
  assert.deepEqual(
    onWire.entries.map((entry) => [entry.entryId, entry.propertyAlias]),
    [
      ['one', '/a'],
      ['message-1', '/b'],
      ['message-2', '/c'],
      ['message-3', '/d']
    ]
  )
})

test('the second value for a property and time waits, and nothing overtakes it', () => {
  const planned = plan(
    { alias: '/a', seconds: [1] },
    { alias: '/a', seconds: [1, 2] },
    { alias: '/a', seconds: [2] },
    { alias: '/b', seconds: [1] },
    { alias: '/a', seconds: [3] }
  )
  assert.deepEqual(sent(planned), [0, 3, 4])
  assert.deepEqual(planned.unsent, [1, 2])
})

test('what can never be accepted is left out, with its reason', () => {
  const planned = plan('nonsense', { alias: '/a', seconds: [1] }, { alias: '/b', seconds: [-8 * 86_400] })
  assert.deepEqual(sent(planned), [1])
  assert.deepEqual(planned.rejected, [
    { index: 0, reason: 'InvalidEntry: the message is not JSON' },
    { index: 2, reason: 'TimestampOutOfRangeException: older than 7 days (alias /b)' }
  ])
})

test('times far ahead are left to the service: our own clock may be late', () => {
  assert.deepEqual(sent(plan({ alias: '/a', seconds: [86_400] })), [0])
})

test('at most the given number of entries goes, or one message alone', () => {
  const messages = messagesOf(...['/a', '/b', '/c'].map((alias) => ({ alias, seconds: [1] })))
  const two = planRequest(messages, WALL_MS, 2)
  assert.deepEqual([sent(two), two.unsent], [[0, 1], [2]])
  const alone = planRequest(messages, WALL_MS, 10, 1)
  assert.deepEqual([sent(alone), alone.unsent], [[1], [0, 2]])
})

test('whatever the batch: every message has one place, and no point is written twice or out of order', () => {
  const sample = fc.oneof(
    { weight: 1, arbitrary: fc.constant('nonsense') },
    {
      weight: 9,
      arbitrary: fc.record({
        alias: fc.constantFrom('/a', '/b'),
        seconds: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }),
        id: fc.constantFrom('x', 'y', 'message-1', 'message-2')
      })
    }
  )
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 10 }), (samples) => {
      let left = messagesOf(...samples)
      const order = new Map<string, number>()
      for (let round = 0; left.length > 0; round += 1) {
        assert.ok(round <= samples.length, 'every request makes progress')
        const { entries, body, rejected, unsent } = planRequest(left, WALL_MS, 10)
        const places = [...entries.map((entry) => entry.index), ...rejected.map((each) => each.index), ...unsent]
        assert.deepEqual(
          [...places].sort((a, b) => a - b),
          [...left.keys()]
        )
        assert.equal(new Set(entries.map((entry) => entry.id)).size, entries.length)
        const wire = JSON.parse(body) as {
          entries: readonly {
            propertyAlias: string
            propertyValues: readonly { value: { integerValue: number }; timestamp: { timeInSeconds: number } }[]
          }[]
        }
        const points = wire.entries.flatMap(({ propertyAlias, propertyValues }) =>
          propertyValues.map(({ value, timestamp }) => ({
            key: `${propertyAlias}@${timestamp.timeInSeconds}`,
            number: value.integerValue
          }))
        )
        assert.equal(new Set(points.map(({ key }) => key)).size, points.length)
        for (const { key, number } of points) {
          assert.ok(number > (order.get(key) ?? -1), `${key} out of order`)
          order.set(key, number)
        }
        left = left.filter((_, index) => unsent.includes(index))
      }
    }),
    { numRuns: 300 }
  )
})
