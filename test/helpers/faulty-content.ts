import type { Random } from '../../component/base/random.ts'

const PAGE_BYTES = 4096
const SECTOR_BYTES = 512

/** A page that a sync has begun to write. */
interface PageInFlight {
  readonly page: number
  readonly version: number
  readonly data: Buffer
}

/** A sync that has begun; its pages are those of this moment. */
export interface SyncInFlight {
  readonly pages: readonly PageInFlight[]
  readonly length: number
  readonly durableLength: number
}

/** Up to `end`, zero where nothing was written. */
function padded(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.alloc(end - start)
  bytes.copy(copy, 0, start, Math.min(end, bytes.length))
  return copy
}

/**
 * The content of a file as the program sees it and as the medium holds it. Unsynced pages reach the medium in any order
 * or not at all, at the latest with a sync; after a failed sync they count as clean although they never reached it, as
 * on Linux.
 */
export class FaultyContent {
  /** What reads return. */
  #current: Buffer = Buffer.alloc(0)
  /** What a power cut leaves. */
  #durable: Buffer = Buffer.alloc(0)
  /** Unsynced pages with the version of their last write. */
  readonly #dirty = new Map<number, number>()
  #version = 0
  /** Version of each page that the medium holds: an older one never replaces a newer one. */
  readonly #durableVersions = new Map<number, number>()

  get length(): number {
    return this.#current.length
  }

  get bytes(): Buffer {
    return this.#current
  }

  /** True when a power cut could change it. */
  get isDirty(): boolean {
    return !this.#current.equals(this.#durable)
  }

  /** Overwrites what is there, on the medium as well: damage. */
  replace(bytes: Buffer): void {
    this.#current = Buffer.from(bytes)
    this.#durable = Buffer.from(bytes)
    this.#dirty.clear()
  }

  write(bytes: Buffer, position: number): void {
    const end = position + bytes.length
    if (end > this.#current.length) this.#current = padded(this.#current, 0, end)
    bytes.copy(this.#current, position)
    this.#touch(position, end)
  }

  truncate(length: number): void {
    const from = Math.min(length, this.#current.length)
    const end = Math.max(length, this.#current.length)
    this.#current = padded(this.#current, 0, length)
    this.#touch(from, end)
  }

  beginSync(): SyncInFlight {
    const pages = [...this.#dirty].map(([page, version]) => ({
      page,
      version,
      data: this.#pageOf(this.#current, page)
    }))
    return { pages, length: this.#current.length, durableLength: this.#durable.length }
  }

  endSync({ pages, length, durableLength }: SyncInFlight): void {
    const hasGrown = this.#durable.length > durableLength
    for (const { page, version, data } of pages) {
      if (version >= (this.#durableVersions.get(page) ?? 0)) this.#putDurable(page, data)
      if (this.#dirty.get(page) === version) this.#dirty.delete(page)
    }
    this.#durable = padded(this.#durable, 0, hasGrown ? Math.max(length, this.#durable.length) : length)
  }

  /** The kernel drops the pages it could not write: a later sync has nothing to do and succeeds. */
  failSync({ pages }: SyncInFlight): void {
    for (const { page, version } of pages) if (this.#dirty.get(page) === version) this.#dirty.delete(page)
  }

  /** Some unsynced pages reach the medium by themselves. */
  writeBack(random: Random): void {
    for (const [page, version] of [...this.#dirty]) {
      if (random.fraction() < 0.5) continue
      this.#durableVersions.set(page, version)
      this.#putDurable(page, this.#pageOf(this.#current, page))
      this.#dirty.delete(page)
    }
  }

  /** The power fails: any of the unsynced pages are kept, lost or torn between sectors. */
  crash(random: Random): void {
    const longest = Math.max(this.#durable.length, this.#current.length)
    const lengths = [
      this.#durable.length,
      this.#current.length,
      this.#durable.length + Math.floor(random.fraction() * (this.#current.length - this.#durable.length))
    ]
    const wasDirty = this.#dirty.size > 0
    for (const page of this.#dirty.keys()) {
      const choice = random.fraction()
      if (choice < 0.4) continue
      const data = this.#pageOf(this.#current, page)
      if (choice > 0.8) this.#tear(data, this.#pageOf(this.#durable, page), random)
      this.#putDurable(page, data)
    }
    const length = lengths[Math.floor(random.fraction() * lengths.length)] ?? longest
    this.replace(padded(this.#durable, 0, wasDirty ? length : this.#durable.length))
  }

  #tear(data: Buffer, before: Buffer, random: Random): void {
    for (let at = 0; at < PAGE_BYTES; at += SECTOR_BYTES) {
      if (random.fraction() < 0.5) before.copy(data, at, at, at + SECTOR_BYTES)
    }
  }

  #touch(start: number, end: number): void {
    this.#version++
    for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page++)
      this.#dirty.set(page, this.#version)
  }

  #pageOf(bytes: Buffer, page: number): Buffer {
    return padded(
      bytes,
      Math.min(page * PAGE_BYTES, bytes.length),
      Math.min(page * PAGE_BYTES, bytes.length) + PAGE_BYTES
    )
  }

  #putDurable(page: number, data: Buffer): void {
    const start = page * PAGE_BYTES
    if (this.#durable.length < start + PAGE_BYTES) {
      const length = Math.max(this.#durable.length, Math.min(start + PAGE_BYTES, this.#current.length))
      this.#durable = padded(this.#durable, 0, length)
    }
    data.copy(this.#durable, start)
  }
}
