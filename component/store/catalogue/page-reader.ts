import { Fault } from '../../base/fault.ts'
import type { CatalogueHead } from './head-check.ts'

/**
 * Reads the records of an LMDB file without LMDB: from any copy, without a lock file, and without the risk that a damaged
 * file ends the process (reliability F8). Layout of lmdb 3.5 (mdb.c: MDB_page_header, MDB_node, MDB_ovpage),
 * little-endian:
 *
 *     page       page number (word), transaction (word), u16, flags u16, lower bound of the free space u16, u16;
 *                then the offsets of the nodes behind this header, u16 each
 *     branch     node: child page (u16 low, u16 middle, u16 high), key length u16, key
 *     leaf       node: data length (u16 low, u16 high), flags u16, key length u16, key, data;
 *                data of flag 1 is the number (word) of an overflow page, behind whose header the data lies
 */
const FLAG_BRANCH = 1
const FLAG_LEAF = 2
const FLAG_OVERFLOW = 4
const NODE_BIG_DATA = 1
const NODE_HEADER_BYTES = 8
const DEPTH_MAX = 32

function damaged(what: string): Fault {
  return new Fault(`the database is damaged: ${what}`)
}

/**
 * All records of the last transaction.
 * @param bytes the whole file
 * @throws Fault when a page is not what it should be; also when a server was writing the file meanwhile
 */
export function readRecords(bytes: Buffer, head: CatalogueHead): Map<string, Buffer> {
  const { pageBytes, wordBytes } = head
  const headerBytes = 2 * wordBytes + 8
  const records = new Map<string, Buffer>()
  let pagesLeft = head.usedBytes / pageBytes

  const wordAt = (at: number): number => (wordBytes === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at))

  /** Where a page starts, once it is sure to be one of this kind. */
  const pageStart = (page: number, flag: number): number => {
    const start = page * pageBytes
    if (!(start >= 0 && start + pageBytes <= bytes.length)) throw damaged(`page ${page} lies outside of the file`)
    if (wordAt(start) !== page) throw damaged(`page ${page} has another number`)
    if ((bytes.readUInt16LE(start + 2 * wordBytes + 2) & flag) === 0) throw damaged(`page ${page} is of another kind`)
    return start
  }

  /** Offsets of the nodes of a page. */
  const nodesOf = (start: number): number[] => {
    const count = bytes.readUInt16LE(start + 2 * wordBytes + 4) >> 1
    if (headerBytes + 2 * count > pageBytes) throw damaged('a page counts more nodes than it can hold')
    return Array.from({ length: count }, (_, index) => {
      const offset = headerBytes + bytes.readUInt16LE(start + headerBytes + 2 * index)
      if (offset + NODE_HEADER_BYTES > pageBytes) throw damaged('a node lies outside of its page')
      return start + offset
    })
  }

  const readLeaf = (node: number, pageEnd: number): void => {
    const length = bytes.readUInt16LE(node) + bytes.readUInt16LE(node + 2) * 65_536
    const flags = bytes.readUInt16LE(node + 4)
    const keyStart = node + NODE_HEADER_BYTES
    const dataStart = keyStart + bytes.readUInt16LE(node + 6)
    const isBig = flags === NODE_BIG_DATA
    if (!isBig && flags !== 0) throw damaged('a node is of an unknown kind')
    if (dataStart + (isBig ? wordBytes : length) > pageEnd) throw damaged('a node is longer than its page')
    const start = isBig ? pageStart(wordAt(dataStart), FLAG_OVERFLOW) + headerBytes : dataStart
    if (start + length > bytes.length) throw damaged('a record is longer than the file')
    records.set(bytes.toString('latin1', keyStart, dataStart), Buffer.from(bytes.subarray(start, start + length)))
  }

  const readPage = (page: number, depth: number): void => {
    if (depth > DEPTH_MAX || pagesLeft-- <= 0) throw damaged('its pages form a circle')
    const start = pageStart(page, FLAG_BRANCH | FLAG_LEAF)
    const isLeaf = (bytes.readUInt16LE(start + 2 * wordBytes + 2) & FLAG_LEAF) !== 0
    for (const node of nodesOf(start)) {
      if (isLeaf) readLeaf(node, start + pageBytes)
      else readPage(childOf(bytes, node, wordBytes), depth + 1)
    }
  }

  if (head.rootPage !== undefined) readPage(head.rootPage, 1)
  if (records.size !== head.entryCount) throw damaged('it does not have as many records as it counts')
  return records
}

function childOf(bytes: Buffer, node: number, wordBytes: number): number {
  const low = bytes.readUInt16LE(node) + bytes.readUInt16LE(node + 2) * 65_536
  return wordBytes === 8 ? low + bytes.readUInt16LE(node + 4) * 2 ** 32 : low
}
