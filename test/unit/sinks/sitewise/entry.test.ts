import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isTooOld, parseEntry, type SiteWiseEntry } from '../../../../component/sinks/sitewise/entry.ts'

const VALUE = { value: { doubleValue: 1.5 }, timestamp: { timeInSeconds: 1_700_000_000, offsetInNanos: 5 } }

function read(value: unknown): ReturnType<typeof parseEntry> {
  return parseEntry(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
}

function entryOf(value: unknown): SiteWiseEntry {
  const parsed = read(value)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.entry
}

function reasonOf(value: unknown): string {
  const parsed = read(value)
  return parsed.ok ? 'accepted' : parsed.reason
}

test('both forms of an address are understood', () => {
  assert.equal(entryOf({ entryId: 'e', propertyAlias: '/a', propertyValues: [VALUE] }).address, 'alias /a')
  const entry = entryOf({ entryId: 'e', assetId: 'a', propertyId: 'p', propertyValues: [VALUE] })
  assert.equal(entry.address, 'asset a property p')
  assert.deepEqual(entry.points, ['["asset a property p",1700000000,5]'])
  assert.equal(entry.oldestMs, 1_700_000_000_000 + 5 / 1e6)
})

test('members that nobody knows yet stay as they are', () => {
  const value = { value: { matrixValue: [[1, 2]], unit: 'K' }, timestamp: { timeInSeconds: 1, zone: 'x' }, extra: null }
  const sent = { entryId: 'e', propertyAlias: '/a', propertyValues: [value], future: { deep: [true] } }
  assert.deepEqual(entryOf(sent).fields, sent)
})

test('an absent id and absent nanoseconds are fine, and null is absence', () => {
  const timestamp = { timeInSeconds: 7, offsetInNanos: null }
  const value = { stringValue: null, integerValue: 0 }
  const entry = entryOf({ entryId: null, propertyAlias: '/a', propertyValues: [{ value, timestamp }] })
  assert.equal(entry.id, undefined)
  assert.equal(entry.oldestMs, 7_000)
})

test('of repeated values with the same time and quality the last one is kept, as the service would', () => {
  const at = (doubleValue: number, quality?: string): object => ({ ...VALUE, value: { doubleValue }, quality })
  const values = [at(1), at(2, 'GOOD'), at(3), at(4, 'GOOD'), at(5, 'BAD')]
  const { fields } = entryOf({ propertyAlias: '/a', propertyValues: values })
  assert.deepEqual(fields['propertyValues'], JSON.parse(JSON.stringify([at(3), at(4, 'GOOD'), at(5, 'BAD')])))
})

test('what the service can never accept is told without a request', () => {
  const valid = { entryId: 'e', propertyAlias: '/a', propertyValues: [VALUE] }
  const withValue = (changed: object): object => ({ ...valid, propertyValues: [{ ...VALUE, ...changed }] })
  const cases: readonly [value: unknown, reason: RegExp][] = [
    ['', /not JSON$/],
    ['{"propertyValues":', /not JSON$/],
    ['[1]', /not a JSON object$/],
    ['null', /not a JSON object$/],
    ['{"propertyAlias":"/a","propertyValues":[NaN]}', /not JSON$/],
    [{ ...valid, propertyAlias: undefined }, /neither assetId/],
    [{ ...valid, propertyAlias: '' }, /neither assetId/],
    [{ ...valid, propertyAlias: undefined, assetId: 'a' }, /neither assetId/],
    [{ ...valid, entryId: 'a b' }, /entryId/],
    [{ ...valid, entryId: 'x'.repeat(65) }, /entryId/],
    [{ ...valid, entryId: 7 }, /entryId/],
    [{ ...valid, propertyValues: undefined }, /propertyValues are missing/],
    [{ ...valid, propertyValues: [] }, /propertyValues are missing/],
    [{ ...valid, propertyValues: {} }, /propertyValues are missing/],
    [{ ...valid, propertyValues: Array.from({ length: 11 }, () => VALUE) }, /more than 10/],
    [{ ...valid, propertyValues: [7] }, /not an object/],
    [withValue({ value: {} }), /has no value/],
    [withValue({ value: { doubleValue: null } }), /has no value/],
    [withValue({ value: { doubleValue: 1, stringValue: 'x' } }), /two values/],
    [withValue({ timestamp: undefined }), /no timestamp/],
    [withValue({ timestamp: { timeInSeconds: '7' } }), /timeInSeconds/],
    [withValue({ timestamp: { timeInSeconds: 0 } }), /timeInSeconds/],
    [withValue({ timestamp: { timeInSeconds: 1.5 } }), /timeInSeconds/],
    [withValue({ timestamp: { timeInSeconds: 1, offsetInNanos: 1e9 } }), /offsetInNanos/],
    [withValue({ timestamp: { timeInSeconds: 1, offsetInNanos: -1 } }), /offsetInNanos/],
    [{ ...valid, padding: 'x'.repeat(262_144) }, /larger than 262144 bytes/]
  ]
  for (const [value, reason] of cases) assert.match(reasonOf(value), reason, JSON.stringify(value).slice(0, 200))
  assert.equal(reasonOf(valid), 'accepted')
})

test('deep nesting is told before it is parsed, brackets in texts are not', () => {
  const nested = (depth: number): string =>
    `{"propertyAlias":"/a","propertyValues":[${JSON.stringify(VALUE)}],"x":${'['.repeat(depth)}${']'.repeat(depth)}}`
  assert.equal(reasonOf(nested(15)), 'accepted')
  assert.match(reasonOf(nested(16)), /more than 16 levels/)
  assert.match(reasonOf(nested(100_000)), /more than 16 levels/)
  const text = { propertyAlias: `\\"${'['.repeat(50)}`, propertyValues: [VALUE] }
  assert.equal(reasonOf(text), 'accepted')
})

test('names with a meaning for objects are only names', () => {
  const json = `{"__proto__":{"propertyAlias":"/evil"},"propertyAlias":"/a","propertyValues":[${JSON.stringify(VALUE)}]}`
  const { fields } = entryOf(json)
  assert.equal(JSON.stringify(fields), json)
})

test('an entry is too old when its oldest value is older than seven days', () => {
  const entry = entryOf({
    propertyAlias: '/a',
    propertyValues: [VALUE, { ...VALUE, timestamp: { timeInSeconds: 1_000_000 } }]
  })
  const limitMs = 1_000_000_000 + 7 * 24 * 3_600_000
  assert.equal(isTooOld(entry, limitMs), false)
  assert.equal(isTooOld(entry, limitMs + 1), true)
})

test('whatever an official client can make of an entry with an address is accepted', () => {
  const path = new URL('../../../vectors/json-payloads.json', import.meta.url)
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as {
    cases: readonly { class: string; outcome?: Readonly<Record<string, { utf8?: string }>> }[]
  }
  const texts = cases
    .filter((each) => each.class === 'PutAssetPropertyValueEntry')
    .flatMap((each) => Object.values(each.outcome ?? {}).flatMap(({ utf8 }) => utf8 ?? []))
    .filter((utf8) => /propertyAlias|assetId/.test(utf8))
  assert.ok(texts.length > 50)
  for (const utf8 of texts) {
    const reason = reasonOf(utf8)
    // The clients let these through; the service would not.
    if (!/has no value|two values/.test(reason)) assert.equal(reason, 'accepted', utf8)
  }
})
