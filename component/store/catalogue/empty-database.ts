import { DATA_VERSION, layoutOf, MAGIC, writeWord, type WordBytes } from './head-check.ts'
import { PREALLOCATED_BYTES } from './limits.ts'
import { PAGE_BYTES } from './space.ts'

const META_PAGES = 2
/** Of a page header: this is a meta page. */
const META_PAGE_FLAG = 0x08
/** Of the free list: integers as keys, and a file instead of a folder. */
const DATABASE_FLAGS = 0x4008

/**
 * The file that LMDB makes for a database without records. We write it ourselves: LMDB frees memory twice, and ends the
 * process with that, when a write fails while it makes a file (lmdb 3.5, EnvWrap::openEnv). To open one it only reads.
 */
export function emptyDatabase(word: WordBytes): Buffer {
  const bytes = Buffer.alloc(META_PAGES * PAGE_BYTES)
  const layout = layoutOf(word)
  const none = (1n << BigInt(8 * word)) - 1n
  for (let page = 0; page < META_PAGES; page++) {
    const start = page * PAGE_BYTES
    writeWord(bytes, start, BigInt(page), word)
    bytes.writeUInt16LE(META_PAGE_FLAG, start + 2 * word + 2)
    bytes.writeUInt32LE(MAGIC, start + layout.magic)
    bytes.writeUInt32LE(DATA_VERSION, start + layout.magic + 4)
    writeWord(bytes, start + layout.magic + 8 + word, BigInt(4 * PREALLOCATED_BYTES), word)
    bytes.writeUInt32LE(PAGE_BYTES, start + layout.freeTree)
    bytes.writeUInt16LE(DATABASE_FLAGS, start + layout.freeTree + 4)
    for (const tree of [layout.freeTree, layout.freeTree + layout.treeBytes]) {
      writeWord(bytes, start + tree + 8 + 4 * word, none, word)
    }
    writeWord(bytes, start + layout.lastPage, BigInt(META_PAGES - 1), word)
  }
  return bytes
}
