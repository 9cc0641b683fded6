/**
 * The two meta pages at the start of an LMDB file, read without LMDB, which dies by a signal on many damaged files
 * (reliability F8, 3.2.2). Layout of lmdb 3.5 (mdb.c: MDB_page_header, MDB_meta, MDB_db), little-endian, with words of
 * 8 bytes (4 on 32-bit machines); the second meta page starts one page further:
 *
 *     page header   page number (word), transaction (word), 2 bytes, flags u16, 4 bytes
 *     magic u32, version u32, address (word), map size (word)
 *     free list and main database, each: u32 (page size in the first), flags u16, depth u16,
 *                   branch, leaf and overflow pages, entries, root page (words)
 *     last page (word), transaction (word)
 */
export const MAGIC = 0xbeefc0de
export const DATA_VERSION = 2
const TREE_DEPTH_MAX = 32

/** Bytes to read from the start of the file: the second meta page follows a page of at most 64 KiB. */
export const HEAD_BYTES = 65_536 + 256

export type WordBytes = 4 | 8

export interface CatalogueHead {
  readonly wordBytes: WordBytes
  readonly pageBytes: number
  /** Number of the last transaction. */
  readonly transaction: bigint
  /** Page of the root of the records; undefined when there are none. */
  readonly rootPage: number | undefined
  /** Records in the database. */
  readonly entryCount: number
  /** Bytes of the pages that hold data, the free list and the metas. */
  readonly liveBytes: number
  /** End of the last page ever used. */
  readonly usedBytes: number
}

export type HeadCheck =
  { readonly ok: true; readonly head: CatalogueHead } | { readonly ok: false; readonly reason: string }

interface Tree {
  readonly depth: number
  readonly pages: number
  readonly entries: number
  readonly root: number | undefined
}

interface Meta {
  readonly pageBytes: number
  readonly trees: readonly [Tree, Tree]
  readonly lastPage: number
  readonly transaction: bigint
}

/** The size of LMDB's words on a machine, by `process.arch`. */
export function wordBytesOf(arch: string): WordBytes {
  return arch === 'arm' || arch === 'ia32' ? 4 : 8
}

/** Where the fields of a meta page lie, counted from the start of its page. */
export function layoutOf(word: WordBytes) {
  const magic = 2 * word + 8
  const freeTree = magic + 8 + 2 * word
  const treeBytes = 8 + 5 * word
  const lastPage = freeTree + 2 * treeBytes
  return { magic, freeTree, treeBytes, lastPage, end: lastPage + 2 * word }
}

function readWord(bytes: Buffer, at: number, word: WordBytes): bigint {
  return word === 8 ? bytes.readBigUInt64LE(at) : BigInt(bytes.readUInt32LE(at))
}

/** Writes a number of LMDB's words. */
export function writeWord(bytes: Buffer, at: number, value: bigint, word: WordBytes): void {
  if (word === 8) bytes.writeBigUInt64LE(value, at)
  else bytes.writeUInt32LE(Number(value), at)
}

function readTree(bytes: Buffer, at: number, word: WordBytes): Tree {
  const wordAt = (index: number): bigint => readWord(bytes, at + 8 + index * word, word)
  const none = (1n << BigInt(8 * word)) - 1n
  const root = wordAt(4)
  return {
    depth: bytes.readUInt16LE(at + 6),
    pages: Number(wordAt(0) + wordAt(1) + wordAt(2)),
    entries: Number(wordAt(3)),
    root: root === none ? undefined : Number(root)
  }
}

function readMeta(bytes: Buffer, start: number, word: WordBytes): Meta | string {
  const layout = layoutOf(word)
  if (bytes.length < start + layout.end) return 'the file ends within a meta page'
  if (bytes.readUInt32LE(start + layout.magic) !== MAGIC) return 'a meta page has no LMDB magic number'
  if (bytes.readUInt32LE(start + layout.magic + 4) !== DATA_VERSION) return 'a meta page is of another LMDB version'
  return {
    pageBytes: bytes.readUInt32LE(start + layout.freeTree),
    trees: [
      readTree(bytes, start + layout.freeTree, word),
      readTree(bytes, start + layout.freeTree + layout.treeBytes, word)
    ],
    lastPage: Number(readWord(bytes, start + layout.lastPage, word)),
    transaction: readWord(bytes, start + layout.lastPage + word, word)
  }
}

function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0
}

function isPlausibleTree(tree: Tree, lastPage: number): boolean {
  if (tree.root === undefined) return tree.pages === 0 && tree.entries === 0
  return tree.root >= 2 && tree.root <= lastPage && tree.depth >= 1 && tree.depth <= TREE_DEPTH_MAX
}

/**
 * Decides whether LMDB may open the file.
 * @param start the first HEAD_BYTES of the file, or all of it when it is shorter
 * @param fileBytes length of the file
 */
export function checkHead(start: Buffer, fileBytes: number, word: WordBytes): HeadCheck {
  const refuse = (reason: string): HeadCheck => ({ ok: false, reason })
  const first = readMeta(start, 0, word)
  if (typeof first === 'string') return refuse(first)
  const { pageBytes } = first
  if (!isPageSize(pageBytes)) return refuse('the page size is impossible')
  const second = readMeta(start, pageBytes, word)
  if (typeof second === 'string') return refuse(second)
  if (second.pageBytes !== pageBytes) return refuse('the meta pages disagree about the page size')
  const { trees, lastPage, transaction } = second.transaction > first.transaction ? second : first
  if ((lastPage + 1) * pageBytes > fileBytes) return refuse('the file is shorter than its database')
  const livePages = 2 + trees[0].pages + trees[1].pages
  if (livePages > lastPage + 1) return refuse('a meta page counts more pages than the file has')
  if (!trees.every((tree) => isPlausibleTree(tree, lastPage)))
    return refuse('a meta page names an impossible root page')
  return {
    ok: true,
    head: {
      wordBytes: word,
      pageBytes,
      transaction,
      rootPage: trees[1].root,
      entryCount: trees[1].entries,
      liveBytes: livePages * pageBytes,
      usedBytes: (lastPage + 1) * pageBytes
    }
  }
}
