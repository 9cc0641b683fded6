import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createMemoryDisk, systemErrorCode } from '../../../component/store/index.ts'

const MIB = 1024 * 1024

describe('a disk in memory', () => {
  it('refuses a write beyond its bytes with ENOMEM and stays usable', () => {
    const disk = createMemoryDisk({ bytesMax: MIB })
    disk.makeFolder('/a')
    const file = disk.createFile('/a/one')
    file.write([Buffer.alloc(MIB / 2, 1)], 0)
    assert.throws(
      () => file.write([Buffer.alloc(MIB, 2)], MIB / 2),
      (error) => systemErrorCode(error) === 'ENOMEM'
    )
    file.truncate(MIB / 2)
    assert.equal(file.size(), MIB / 2)
    file.write([Buffer.alloc(MIB / 2, 3)], MIB / 2)
    assert.equal(disk.freeSpace('/').bytes, 0)
  })

  it('gives memory back when a file is cut, removed or replaced', () => {
    const disk = createMemoryDisk({ bytesMax: MIB })
    disk.makeFolder('/a')
    const write = (path: string): void => {
      const file = disk.createFile(path)
      file.write([Buffer.alloc(MIB / 2)], 0)
      file.close()
    }
    write('/a/one')
    write('/a/two')
    assert.equal(disk.freeSpace('/').bytes, 0)
    disk.rename('/a/one', '/a/two')
    assert.equal(disk.freeSpace('/').bytes, MIB / 2)
    const file = disk.openFile('/a/two', 'readWrite')
    file.truncate(10)
    assert.ok(disk.freeSpace('/').bytes > MIB - MIB / 4)
    disk.removeFile('/a/two')
    assert.equal(file.isUnlinked(), true)
    assert.equal(file.read(0, 10).length, 10)
    file.close()
    assert.equal(disk.freeSpace('/').bytes, MIB)
    write('/a/three')
    disk.removeFolder('/a')
    assert.equal(disk.freeSpace('/').bytes, MIB)
    assert.deepEqual(disk.listFolder('/a'), [])
  })

  it('holds little for a small file', () => {
    const disk = createMemoryDisk({ bytesMax: MIB })
    disk.makeFolder('/a')
    disk.createFile('/a/one').write([Buffer.alloc(100)], 0)
    assert.ok(disk.freeSpace('/').bytes >= MIB - 4096)
  })

  it('uses the memory of removed files for new ones, which read as zeros where nothing was written', () => {
    const disk = createMemoryDisk({ bytesMax: 64 * MIB })
    disk.makeFolder('/a')
    const content = Buffer.alloc(4 * MIB, 1)
    const rewrite = (): void => {
      const file = disk.createFile('/a/one')
      file.write([content], 0)
      file.close()
      disk.removeFile('/a/one')
    }
    rewrite()
    const before = process.memoryUsage().arrayBuffers
    for (let round = 0; round < 20; round++) rewrite()
    assert.ok(process.memoryUsage().arrayBuffers - before < MIB)
    const gap = disk.createFile('/a/gap')
    gap.write([Buffer.from('x')], MIB)
    assert.ok(gap.read(0, MIB).equals(Buffer.alloc(MIB)))
    gap.truncate(1)
    gap.truncate(2 * MIB)
    assert.ok(gap.read(0, 2 * MIB).equals(Buffer.alloc(2 * MIB)))
  })

  it('holds what an array of bytes holds after any writes and cuts', () => {
    const write = fc.record({
      position: fc.integer({ min: 0, max: 700_000 }),
      length: fc.integer({ min: 0, max: 300_000 }),
      fill: fc.integer({ min: 1, max: 255 }),
      isCut: fc.boolean()
    })
    fc.assert(
      fc.property(fc.array(write, { maxLength: 8 }), (steps) => {
        const disk = createMemoryDisk({ bytesMax: 64 * MIB })
        disk.makeFolder('/a')
        const file = disk.createFile('/a/one')
        let model = Buffer.alloc(0)
        for (const { position, length, fill, isCut } of steps) {
          const end = isCut ? position : Math.max(model.length, position + length)
          if (length > 0 || isCut) model = Buffer.concat([model, Buffer.alloc(Math.max(0, end - model.length))], end)
          if (isCut) file.truncate(position)
          else if (length > 0) {
            file.write([Buffer.alloc(length, fill)], position)
            model.fill(fill, position, position + length)
          }
        }
        assert.equal(file.size(), model.length)
        assert.ok(file.read(0, model.length + 10).equals(model))
      }),
      { numRuns: 50 }
    )
  })

  it('knows its files by name', () => {
    const disk = createMemoryDisk({ bytesMax: MIB })
    assert.throws(() => disk.createFile('/a/one'), /ENOENT/)
    disk.makeFolder('/a/b')
    disk.createFile('/a/one')
    assert.throws(() => disk.createFile('/a/one'), /EEXIST/)
    assert.throws(() => disk.openFile('/a/two', 'read'), /ENOENT/)
    assert.throws(() => disk.rename('/a/two', '/a/three'), /ENOENT/)
    disk.removeFile('/a/two')
    assert.deepEqual(disk.listFolder('/a'), [
      { name: 'b', isFolder: true },
      { name: 'one', isFolder: false }
    ])
    assert.deepEqual(disk.listFolder('/none'), [])
  })
})
