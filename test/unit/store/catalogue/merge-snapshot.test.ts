import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DecodedEntries } from '../../../../component/store/catalogue/decode-database.ts'
import { createEntryTable, type Digest } from '../../../../component/store/catalogue/entry-table.ts'
import { mergeSnapshot } from '../../../../component/store/catalogue/merge-snapshot.ts'

const mapOf = (entries: Record<string, string>): Map<string, Buffer> =>
  new Map(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value)]))
const digestOf = (entries: Record<string, string>): Digest => createEntryTable(mapOf(entries)).digest

function merge(
  sound: Record<string, string>,
  damagedKeys: string[],
  committed: Record<string, string> | undefined,
  snapshot: Record<string, string>
) {
  const decoded: DecodedEntries = {
    kind: 'entries',
    table: createEntryTable(mapOf(sound)),
    damagedKeys,
    digest: committed && digestOf(committed),
    isWhole: false
  }
  const { table, isWhole } = mergeSnapshot(decoded, mapOf(snapshot))
  return { entries: Object.fromEntries([...table.entries].map(([key, value]) => [key, value.toString()])), isWhole }
}

test('the digest proves the repair that leads to it', () => {
  const committed = { a: '1', b: '2', c: '3' }
  const whole = { entries: committed, isWhole: true }
  assert.deepEqual(merge(committed, ['!format'], committed, {}), whole)
  assert.deepEqual(merge({ a: '1', c: '3' }, ['b'], committed, { b: '2', gone: 'x' }), whole)
  assert.deepEqual(merge({ a: '1' }, [], committed, { ...committed, a: 'older' }), whole)
  assert.deepEqual(merge({ a: '1', b: 'stale', phantom: 'x' }, [], committed, committed), whole)
})

test('without proof a value comes from the snapshot only where it is missing for sure', () => {
  const committed = { a: '1', b: '2', c: '3' }
  const olderSnapshot = { a: '0', b: '0', removed: 'x' }
  const result = merge({ a: '1', c: '3' }, ['b'], committed, olderSnapshot)
  assert.deepEqual(result, { entries: { a: '1', b: '0', c: '3' }, isWhole: false })
})

test('where sound keys are missing, too, the snapshot gives all it has', () => {
  const committed = { a: '1', b: '2', c: '3' }
  const snapshot = { a: '0', b: '0', other: 'x' }
  const entries = { a: '1', b: '0', other: 'x' }
  assert.deepEqual(merge({ a: '1' }, [], committed, snapshot), { entries, isWhole: false })
  assert.deepEqual(merge({ a: '1' }, [], undefined, snapshot), { entries, isWhole: false })
  // A damaged key that nobody knows stands for one that is missing.
  assert.deepEqual(merge({ a: '1', c: '3' }, ['b\x01'], committed, snapshot), {
    entries: { ...entries, c: '3' },
    isWhole: false
  })
})
