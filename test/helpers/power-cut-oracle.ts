import assert from 'node:assert/strict'
import { LARGE_STREAM_BYTES, type LoadRequests } from './power-cut-load.ts'
import type { OpenedStream } from './store-opener.ts'

/** What one name may be: undefined is no stream. */
type Shape = { readonly maxSize: number; readonly flushOnWrite: boolean } | undefined

interface Name {
  /** As answered so far. */
  shape: Shape
  /** What the request under way would make of it. */
  next: Shape
  isUnderWay: boolean
  /** Acknowledged messages of the present stream by number. */
  readonly acknowledged: Map<number, string>
  /** Numbers below this one were there when this run began. */
  base: number
}

/** What the clients of one run of the server know at one point of its record (reliability 1.1, 1.2). */
export class PowerCutOracle {
  readonly #names = new Map<string, Name>()
  readonly #requests: LoadRequests
  readonly #texts: ReadonlySet<string>
  readonly #unanswered: Set<string>

  /** @param start what was there when the run began, all of it durable */
  constructor(start: readonly OpenedStream[], requests: LoadRequests) {
    this.#requests = requests
    const texts = [...requests.values()].flatMap((request) => (request.kind === 'append' ? [request.text] : []))
    this.#texts = new Set([...texts, ...start.flatMap(({ messages }) => messages.map(([, text]) => text))])
    this.#unanswered = new Set(requests.keys())
    for (const { name, maxSize, flushOnWrite, messages, next } of start) {
      const shape = { maxSize, flushOnWrite }
      this.#names.set(name, { shape, next: shape, isUnderWay: false, acknowledged: new Map(messages), base: next })
    }
    for (const name of new Set([...requests.values()].map((request) => request.name))) {
      if (!this.#names.has(name)) {
        this.#names.set(name, {
          shape: undefined,
          next: undefined,
          isUnderWay: false,
          acknowledged: new Map(),
          base: 0
        })
      }
    }
    for (const name of this.#names.keys()) this.#look(name)
  }

  /** An answer has left the server. */
  answered(requestId: string, sequenceNumber: number | undefined): void {
    const request = this.#requests.get(requestId)
    if (request === undefined) return
    this.#unanswered.delete(requestId)
    const name = this.#names.get(request.name)
    assert.ok(name !== undefined)
    if (request.kind === 'append') {
      assert.ok(sequenceNumber !== undefined)
      const before = name.acknowledged.get(sequenceNumber)
      assert.equal(before, undefined, `${request.name}: number ${sequenceNumber} is given twice`)
      name.acknowledged.set(sequenceNumber, request.text)
      return
    }
    name.shape = name.next
    if (request.kind !== 'update') {
      name.acknowledged.clear()
      name.base = 0
    }
    this.#look(request.name)
  }

  /** Compares with a store that was opened after a power cut at this point. */
  check(opened: readonly OpenedStream[]): void {
    for (const [name, known] of this.#names) {
      const found = opened.find((stream) => stream.name === name)
      const shape = found && { maxSize: found.maxSize, flushOnWrite: found.flushOnWrite }
      const isPossible = (possible: Shape): boolean => JSON.stringify(possible) === JSON.stringify(shape)
      assert.ok(
        isPossible(known.shape) || (known.isUnderWay && isPossible(known.next)),
        `${name} is ${JSON.stringify(shape)}, not ${JSON.stringify(known.shape)} or ${JSON.stringify(known.next)}`
      )
      // When it is being created or deleted, what is found may be of another stream of that name.
      if (found !== undefined && known.shape !== undefined) this.#checkStream(found, known)
    }
    const strangers = opened.filter(({ name }) => !this.#names.has(name)).map(({ name }) => name)
    assert.deepEqual(strangers, [])
  }

  #checkStream(found: OpenedStream, { acknowledged, base }: Name): void {
    const { name, oldest, next, messages, flushOnWrite, appended } = found
    const isThere = new Map(messages)
    let before = oldest - 1
    for (const [number, text] of messages) {
      assert.ok(number > before && number < next, `${name}: number ${number} behind ${before}, next ${next}`)
      before = number
      assert.ok(this.#texts.has(text), `${name}: message ${number} was never appended: ${text.slice(0, 40)}`)
    }
    const kept = [...acknowledged].filter(([number]) => number >= oldest).sort(([left], [right]) => left - right)
    let lost: number | undefined
    for (const [number, text] of kept) {
      const left = isThere.get(number)
      if (left === text) {
        assert.equal(lost, undefined, `${name}: ${number} survived the lost ${lost ?? ''}`)
        continue
      }
      const mayBeLost = !flushOnWrite && number >= base
      const fate = left === undefined ? 'lost' : 'another one'
      const range = `${messages.length} messages from ${oldest} to ${next - 1}, acknowledged to ${kept.at(-1)?.[0] ?? -1}`
      assert.ok(mayBeLost, `${name}: acknowledged message ${number} is ${fate} (${range})`)
      lost ??= number
    }
    assert.ok(typeof appended === 'number' && appended >= next, `${name}: an append after the start got ${appended}`)
    const highest = kept.at(-1)?.[0] ?? -1
    if (flushOnWrite) assert.ok(next > highest, `${name}: number ${next} would be given again`)
    // Of a stream that does not flush there may be nothing left of what came after the start.
    const durable = flushOnWrite ? acknowledged.size : [...acknowledged.keys()].filter((number) => number < base).length
    if (durable === 0) return
    assert.ok(kept.length > 0, `${name}: retention has dropped everything`)
    const isFull = found.maxSize < LARGE_STREAM_BYTES
    const first = Math.min(...acknowledged.keys())
    assert.ok(isFull || oldest <= first, `${name}: ${first} was dropped without need, the oldest is ${oldest}`)
  }

  /** Finds the change of this name that is under way or comes next: changes of a name follow each other. */
  #look(name: string): void {
    const known = this.#names.get(name)
    assert.ok(known !== undefined)
    for (const requestId of this.#unanswered) {
      const request = this.#requests.get(requestId)
      if (request?.name !== name || request.kind === 'append') continue
      known.isUnderWay = true
      known.next =
        request.kind === 'delete' ? undefined : { maxSize: request.maxSize, flushOnWrite: request.flushOnWrite }
      return
    }
    known.isUnderWay = false
    known.next = known.shape
  }
}
