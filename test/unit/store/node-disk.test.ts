import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { nodeDisk as disk, systemErrorCode } from '../../../component/store/index.ts'

describe('the disk of the machine', () => {
  const root = mkdtempSync(join(tmpdir(), 'node-disk-'))
  const path = (name: string): string => join(root, name)
  after(() => rmSync(root, { recursive: true, force: true }))

  it('creates files and folders for their owner alone, whatever the umask', () => {
    const before = process.umask(0o777)
    try {
      disk.makeFolder(path('a/b/c'))
      disk.createFile(path('a/b/c/file')).close()
    } finally {
      process.umask(before)
    }
    assert.equal(statSync(path('a/b')).mode & 0o777, 0o700)
    assert.equal(statSync(path('a/b/c')).mode & 0o777, 0o700)
    assert.equal(statSync(path('a/b/c/file')).mode & 0o777, 0o600)
    disk.makeFolder(path('a/b/c'))
    assert.throws(() => disk.makeFolder(path('a/b/c/file')), /ENOTDIR/)
    assert.throws(() => disk.makeFolder(path('a/b/c/file/d')), /ENOTDIR/)
  })

  it('creates no file over another and follows no link', () => {
    writeFileSync(path('target'), 'secret')
    symlinkSync(path('target'), path('link'))
    assert.throws(() => disk.createFile(path('target')), /EEXIST/)
    assert.throws(
      () => disk.openFile(path('link'), 'read'),
      (error) => systemErrorCode(error) === 'ELOOP'
    )
    assert.throws(() => disk.openFile(root, 'read'), /not a regular file/)
    assert.throws(
      () => disk.openFile(path('none'), 'read'),
      (error) => systemErrorCode(error) === 'ENOENT'
    )
  })

  it('writes thousands of buffers in one go, at once and through the pool', async () => {
    const file = disk.createFile(path('many'))
    const buffers = Array.from({ length: 5_000 }, (_, index) => Buffer.alloc(index % 7, index))
    const whole = Buffer.concat(buffers)
    file.write(buffers, 0)
    await file.writeAsync(buffers, whole.length)
    file.write([], 0)
    file.write([Buffer.alloc(0)], 0)
    assert.equal(file.size(), 2 * whole.length)
    assert.ok(file.read(0, whole.length).equals(whole))
    assert.ok((await file.readAsync(whole.length, 1_000_000)).equals(whole))
    assert.equal((await file.readAsync(10_000_000, 10)).length, 0)
    file.truncate(3)
    assert.equal(file.size(), 3)
    await file.sync()
    file.close()
    file.close()
    assert.throws(() => file.size(), /EBADF/)
  })

  it('notices that a file was removed', () => {
    const file = disk.createFile(path('gone'))
    assert.equal(file.isUnlinked(), false)
    rmSync(path('gone'))
    assert.equal(file.isUnlinked(), true)
    file.close()
  })

  it('lists, renames, removes and syncs', async () => {
    disk.makeFolder(path('list/folder'))
    for (const name of ['b', 'a', 'c']) disk.createFile(path(`list/${name}`)).close()
    disk.rename(path('list/b'), path('list/a'))
    disk.removeFile(path('list/none'))
    assert.deepEqual(disk.listFolder(path('list')), [
      { name: 'a', isFolder: false },
      { name: 'c', isFolder: false },
      { name: 'folder', isFolder: true }
    ])
    assert.deepEqual(disk.listFolder(path('nothing')), [])
    await disk.syncFolder(path('list'))
    await assert.rejects(disk.syncFolder(path('nothing')), /ENOENT/)
    disk.removeFolder(path('list'))
    disk.removeFolder(path('list'))
    assert.equal(existsSync(path('list')), false)
  })

  it('knows the free space, and the size of the file system', () => {
    const { bytes, inodes, size } = disk.freeSpace(root)
    assert.ok(bytes > 0 && inodes > 0)
    assert.ok(size.bytes > 1024 * 1024 && size.inodes >= 0)
    assert.throws(() => disk.freeSpace(path('nothing')), /ENOENT/)
    assert.throws(() => disk.freeSpace('/nothing/here'), /^Fault: cannot look at the file system of \/nothing\/here/)
    chmodSync(root, 0o700)
  })
})
