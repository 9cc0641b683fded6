import assert from 'node:assert/strict'
import { planRequest } from '../../../component/sinks/sitewise/request.ts'
import { mutate, pick } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const NOW_S = 1_700_000_000
const values = [
  { value: { doubleValue: 1.5 }, timestamp: { timeInSeconds: NOW_S, offsetInNanos: 5 }, quality: 'GOOD' },
  { value: { stringValue: 'x' }, timestamp: { timeInSeconds: NOW_S - 1 } }
]
const ENTRIES = [
  { entryId: 'e1', assetId: 'a', propertyId: 'p', propertyValues: values },
  { propertyAlias: '/a/b', propertyValues: values.slice(0, 1) },
  { entryId: 'e1', propertyAlias: '/a/b', propertyValues: [...values, ...values], future: { x: [1] } }
].map((entry) => Buffer.from(JSON.stringify(entry)))

const TOKENS = [
  'null',
  '1e400',
  '-1',
  '"',
  '[[[[[[[[',
  '{"a":',
  '__proto__',
  'constructor',
  '\\ud800',
  '9007199254740993',
  '0.1',
  'true',
  ',',
  '"entryId":"e1"'
].map((text) => Buffer.from(text))

/** IoT SiteWise entries: a batch of one changed message between two sound ones. */
export const sitewise: FuzzTarget = {
  name: 'sitewise',
  inputCount: 20_000,
  generate: (random) => mutate(random, pick(random, ENTRIES), { others: ENTRIES, tokens: TOKENS }),
  run(input) {
    const payloads = [ENTRIES[0]!, input, ENTRIES[1]!]
    const messages = payloads.map((payload, index) => ({ sequenceNumber: index, ingestTimeMs: 0, payload }))
    const plan = planRequest(messages, NOW_S * 1_000, 10)
    const places = [
      ...plan.entries.map(({ index }) => index),
      ...plan.rejected.map(({ index }) => index),
      ...plan.unsent
    ]
    assert.deepEqual(
      places.sort((left, right) => left - right),
      [0, 1, 2],
      'every message has one place'
    )
    const body = JSON.parse(plan.body) as { readonly entries: readonly { readonly entryId: string }[] }
    const ids = body.entries.map(({ entryId }) => entryId)
    assert.deepEqual(
      ids,
      plan.entries.map(({ id }) => id)
    )
    assert.equal(new Set(ids).size, ids.length, 'ids are unique')
    for (const id of ids) assert.match(id, /^[\w-]{1,64}$/)
    for (const { reason } of plan.rejected) assert.match(reason, /^\w+: /)
  }
}
