import assert from 'node:assert/strict'
import { markedPayload, readMark } from './marked-payload.ts'
import type { Description, ReadMessage } from './stream-calls.ts'
import type { WireMap } from './wire-client.ts'

/*
 * What must be in the store after the server was killed, as the process knows that made the requests (reliability 1.1,
 * 1.2). A request without an answer may have had its effect or not; what a restart has shown counts from then on.
 */

/** The part of a definition that the load changes. */
export interface Shape {
  readonly maxSize: number
  readonly streamSegmentSize: number
  readonly strategyOnFull: 0 | 1
  readonly persistence: 0 | 1
  readonly flushOnWrite: boolean
}

let incarnations = 0

/** One stream from its creation to its deletion. */
export class Incarnation {
  readonly number = (incarnations += 1)
  readonly name: string
  shape: Shape
  /** An update that has not been answered. */
  pendingShape: Shape | undefined
  /**
   * Counts of messages by sequence number: acknowledged, or seen by a reader. Dropped ones stay: their segment comes
   * back when the server is killed before its catalogue knows of the drop.
   */
  readonly known = new Map<number, number>()
  /** Counts that were sent and not answered, in the order of sending. */
  readonly pending = new Set<number>()
  /** Counts that were refused or that a restart has shown to be lost: they may never appear. */
  readonly gone = new Set<number>()
  /** The highest number of `known`, -1 without any. */
  highest = -1
  #sent = 0
  /** Over all its definitions: what was dropped stays dropped. */
  #smallestMaxSize: number
  #mayHaveDropped: boolean
  /** A small message may have found room behind larger ones that did not. */
  #mayHaveRefused: boolean

  constructor(name: string, shape: Shape) {
    this.name = name
    this.shape = shape
    this.#smallestMaxSize = shape.maxSize
    this.#mayHaveDropped = shape.strategyOnFull === 1
    this.#mayHaveRefused = shape.strategyOnFull === 0
  }

  /** The next message; it is pending from now on. */
  send(): { readonly count: number; readonly payload: Buffer } {
    const count = this.#sent++
    this.pending.add(count)
    return { count, payload: markedPayload({ incarnation: this.number, count }) }
  }

  acknowledged(count: number, sequenceNumber: number): void {
    this.pending.delete(count)
    this.#bind(sequenceNumber, count)
  }

  refused(count: number): void {
    this.pending.delete(count)
    this.gone.add(count)
  }

  updated(): void {
    this.shape = this.pendingShape ?? this.shape
    this.pendingShape = undefined
    this.#smallestMaxSize = Math.min(this.#smallestMaxSize, this.shape.maxSize)
    this.#mayHaveDropped ||= this.shape.strategyOnFull === 1
    this.#mayHaveRefused ||= this.shape.strategyOnFull === 0
  }

  /** A reader got these, in order: right ones, and none of them may be lost any more. */
  seen(messages: readonly ReadMessage[]): void {
    let before = -1
    for (const { sequenceNumber, payload } of messages) {
      const mark = readMark(payload)
      assert.ok(mark !== undefined, this.#say(`the content of ${sequenceNumber} is damaged`))
      assert.equal(mark.incarnation, this.number, this.#say(`${sequenceNumber} belongs to a deleted stream`))
      assert.ok(mark.count > before, this.#say(`${sequenceNumber} is out of order`))
      before = mark.count
      assert.ok(!this.gone.has(mark.count), this.#say(`${sequenceNumber} was refused or lost and is there`))
      this.#bind(sequenceNumber, mark.count)
    }
  }

  /** After a restart: `messages` is all that can be read. */
  restarted({ definition, storageStatus }: Description, messages: readonly ReadMessage[]): void {
    const { oldestSequenceNumber: oldest, newestSequenceNumber: newest, totalBytes } = storageStatus
    this.#settleShape(definition)
    if (this.shape.persistence === 1) {
      assert.deepEqual([oldest, newest, messages.length], [0, -1, 0], this.#say('a memory stream starts anew'))
      this.known.clear()
      this.highest = -1
    }
    assert.deepEqual(
      messages.map(({ sequenceNumber }) => sequenceNumber),
      Array.from({ length: newest - oldest + 1 }, (_, index) => oldest + index),
      this.#say('numbers have holes, or describe says others')
    )
    assert.ok(newest >= this.highest, this.#say(`acknowledged ${this.highest} is lost, the newest is ${newest}`))
    const fresh = messages.filter(({ sequenceNumber }) => !this.known.has(sequenceNumber))
    const isEndDropped = oldest > this.highest + 1
    this.seen(messages)
    const kept = fresh.map(({ payload }) => readMark(payload)?.count)
    const sent = [...this.pending]
    // Retention may have dropped the first of them, too.
    const first = isEndDropped ? sent.findIndex((count) => count === kept[0]) : 0
    const mayBeKept = sent.slice(first).filter((count) => !this.#mayHaveRefused || kept.includes(count))
    const say = this.#say('what was not acknowledged is no prefix of what was sent')
    assert.deepEqual(kept, mayBeKept.slice(0, kept.length), say)
    for (const count of this.pending) if (!kept.includes(count)) this.gone.add(count)
    this.pending.clear()
    if (oldest === 0) return
    assert.ok(this.#mayHaveDropped, this.#say('a stream that rejects new data dropped old data'))
    assert.ok(totalBytes >= this.#smallestMaxSize / 4, this.#say(`retention left only ${totalBytes} bytes`))
  }

  #settleShape(definition: WireMap): void {
    const names = ['maxSize', 'streamSegmentSize', 'strategyOnFull', 'persistence', 'flushOnWrite'] as const
    const stored = Object.fromEntries(names.map((name) => [name, definition[name]]))
    const pending = this.pendingShape
    if (pending !== undefined && names.every((name) => stored[name] === pending[name])) this.updated()
    this.pendingShape = undefined
    assert.deepEqual(stored, { ...this.shape }, this.#say('the definition is not the acknowledged one'))
  }

  #bind(sequenceNumber: number, count: number): void {
    const bound = this.known.get(sequenceNumber)
    assert.ok(bound === undefined || bound === count, this.#say(`number ${sequenceNumber} was given twice`))
    this.known.set(sequenceNumber, count)
    this.highest = Math.max(this.highest, sequenceNumber)
  }

  #say(problem: string): string {
    return `stream ${this.name}, incarnation ${this.number}: ${problem}`
  }
}

/** One name: the stream that has it, if any, and what became of the last request about it. */
export interface Slot {
  readonly name: string
  current: Incarnation | undefined
  /** A create or delete of `current` that has not been answered. */
  pending: 'create' | 'delete' | undefined
}

/** Compares the names with what the restarted server lists, and settles what was not answered. */
export function settleNames(slots: readonly Slot[], listed: readonly string[]): void {
  for (const slot of slots) {
    const isThere = listed.includes(slot.name)
    if (isThere) assert.ok(slot.current !== undefined, `the deleted stream ${slot.name} is back`)
    else if (slot.pending === undefined) assert.equal(slot.current, undefined, `the stream ${slot.name} is lost`)
    if (!isThere) slot.current = undefined
    slot.pending = undefined
  }
  const names = new Set(slots.map(({ name }) => name))
  assert.deepEqual(
    listed.filter((name) => !names.has(name)),
    []
  )
}
