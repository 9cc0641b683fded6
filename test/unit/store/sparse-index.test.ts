import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createSparseIndex, INDEX_SLOT_BYTES } from '../../../component/store/sparse-index.ts'

describe('a sparse index', () => {
  it('knows nothing at first', () => {
    assert.equal(createSparseIndex(10).find(12), undefined)
  })

  it('finds the last known record at or before a number, whatever was noted in whatever order', () => {
    const sizes = fc.array(fc.integer({ min: 25, max: 200_000 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.boolean()), fc.boolean(), (bytes, isNoted, isBackwards) => {
        const base = 1_000
        const index = createSparseIndex(base)
        let offset = 60
        const records = bytes.map((size, position) => {
          const record = { sequence: base + position, offset }
          offset += size
          return record
        })
        const noted = records.filter(() => isNoted.next().value)
        for (const { sequence, offset: at } of isBackwards ? [...noted].reverse() : noted) index.note(sequence, at)
        for (const { sequence } of records) {
          const found = index.find(sequence)
          const before = noted.filter((record) => record.sequence <= sequence).at(-1)
          if (before === undefined) {
            assert.equal(found, undefined)
            continue
          }
          // Of a slot only one record is kept: the one found may lie up to a slot before the best.
          const slot = Math.floor(before.offset / INDEX_SLOT_BYTES)
          if (found !== undefined) {
            assert.ok(found.sequence <= sequence)
            assert.equal(records[found.sequence - base]?.offset, found.offset)
            assert.ok(isBackwards || Math.floor(found.offset / INDEX_SLOT_BYTES) === slot)
          } else assert.ok(isBackwards)
        }
      })
    )
  })

  it('leaves out numbers that do not fit', () => {
    const index = createSparseIndex(0)
    index.note(2 ** 40, 100)
    assert.equal(index.find(2 ** 41), undefined)
    index.note(3, 200)
    assert.deepEqual(index.find(2 ** 41), { sequence: 3, offset: 200 })
  })
})
