import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamFolderName, streamIdOfFolder } from '../../../component/stream/folder-name.ts'

const ID = '0123456789abcdef'
const NAMES = [
  '.',
  '..',
  ' ',
  'a.log',
  'A',
  'a',
  'CON',
  'trailing.',
  'trailing ',
  '__proto__',
  '.'.repeat(255),
  'x'.repeat(255),
  'a,b c'
]

test('the folder of every legal name is one plain path component', () => {
  for (const name of NAMES) {
    const folder = streamFolderName(name, ID)
    assert.match(folder, /^[A-Za-z0-9_%-]+$/, name)
    assert.ok(folder.length <= 117, name)
    assert.equal(streamIdOfFolder(folder), ID, name)
  }
})

test('names that differ in case, or only far behind, get different folders through their ids', () => {
  assert.notEqual(streamFolderName('a', ID).toLowerCase(), streamFolderName('A', 'fedcba9876543210').toLowerCase())
})

test('folders of other origin have no stream id', () => {
  for (const folder of ['', 'quarantine', 'name-0123', `name-${ID.toUpperCase()}`, ID, `name-${ID}.tmp`]) {
    assert.equal(streamIdOfFolder(folder), undefined, folder)
  }
})
