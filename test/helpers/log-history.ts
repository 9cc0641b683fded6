import assert from 'node:assert/strict'
import { Fault } from '../../component/base/fault.ts'
import { createLog, openLog, type LogState, type SegmentSummary, type StreamLog } from '../../component/store/index.ts'
import type { FaultyDisk } from './faulty-disk.ts'
import { logOptions, readAll } from './log-helpers.ts'

/** One step in the life of a log. */
export type HistoryStep =
  | { readonly kind: 'append'; readonly sizes: readonly number[] }
  | {
      readonly kind:
        'roll' | 'sync' | 'checkpoint' | 'drop' | 'read' | 'kill' | 'cutPower' | 'loseCatalogue' | 'tick' | 'syncLater'
    }

const FOLDER = '/streams/one'

/**
 * Runs a log through a history and compares it with a plain list of what was appended.
 * After a kill nothing may be missing; after a power cut the rest must be a prefix that holds all that was durable.
 */
export class LogHistory {
  disk: FaultyDisk
  log: StreamLog
  /** Payloads by number: all that may still be there. */
  readonly stored = new Map<number, string>()
  /** Numbers below this one were reported durable. */
  durable = 0
  /** The catalogue: written together with its sync, so it survives everything. */
  #state: LogState | undefined
  #summaries = new Map<number, SegmentSummary>()
  /** Numbers below this one can never be given again. */
  #given = 0
  #pending: Promise<unknown>[] = []
  #count = 0
  /** Numbers below this one were dropped; until the catalogue knows they may come back or not. */
  #dropped = 0
  #hasFailed = false
  #hasLostPower = false

  private constructor(disk: FaultyDisk, log: StreamLog) {
    this.disk = disk
    this.log = log
  }

  static async start(disk: FaultyDisk): Promise<LogHistory> {
    const history = new LogHistory(disk, await createLog(logOptions(disk, FOLDER)))
    history.#checkpoint()
    return history
  }

  async step(step: HistoryStep): Promise<void> {
    switch (step.kind) {
      case 'append':
        return this.#append(step.sizes)
      case 'roll':
        return this.#tolerate(async () => this.log.roll())
      case 'sync':
        return this.#tolerate(() => this.log.sync())
      case 'syncLater':
        this.#pending.push(this.#tolerate(() => this.log.sync()))
        return
      case 'checkpoint':
        this.#checkpoint()
        return
      case 'drop':
        this.log.dropOldestSegment()
        this.#dropped = this.log.oldest
        return
      case 'read':
        return this.check()
      case 'tick':
        await new Promise((resolve) => setImmediate(resolve))
        return
      case 'kill':
      case 'cutPower':
      case 'loseCatalogue':
        return this.#restart(step.kind)
    }
  }

  /** Compares all that can be read with what was appended. */
  async check(): Promise<void> {
    const { log, stored } = this
    assert.ok(log.oldest <= log.durableNext, `oldest ${log.oldest} <= durable ${log.durableNext}`)
    assert.ok(log.durableNext <= log.next, `durable ${log.durableNext} <= next ${log.next}`)
    const expected = [...stored].filter(([sequence]) => sequence >= log.oldest)
    const messages = await readAll(log, log.oldest, 7)
    const found = messages.map(({ sequenceNumber, payload }): [number, string] => [sequenceNumber, payload.toString()])
    assert.deepEqual(found, expected)
    const bytes = found.reduce((sum, [, text]) => sum + log.recordBytes(text.length), 0)
    // A file whose sync had failed is cut once its messages are copied; a power cut may undo that cut.
    const isExact = !(this.#hasFailed && this.#hasLostPower)
    assert.ok(isExact ? log.totalBytes === bytes : log.totalBytes >= bytes, `${log.totalBytes} bytes, not ${bytes}`)
  }

  /** Lets everything that was begun end. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending)
    this.#pending = []
  }

  async #append(sizes: readonly number[]): Promise<void> {
    const first = this.log.next
    const texts = sizes.map((size) => `${this.#count++}.`.repeat(size).slice(0, size))
    await this.#tolerate(async () => {
      const records = texts.map((text, index) => ({ payload: Buffer.from(text), ingestTimeMs: 1_000 + index }))
      await this.log.append(records)
      assert.ok(first >= this.#given, `number ${first} is given again, ${this.#given} is next`)
      for (const [index, text] of texts.entries()) this.stored.set(first + index, text)
      this.#given = this.log.next
    })
  }

  async #tolerate(action: () => Promise<unknown>): Promise<void> {
    const { log } = this
    try {
      await action()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#hasFailed = true
    }
    if (log === this.log) this.durable = Math.max(this.durable, log.state.durable.next)
  }

  #checkpoint(): void {
    const { log } = this
    this.durable = Math.max(this.durable, log.state.durable.next)
    this.#state = log.state
    for (const summary of log.sealed) {
      if (summary.next <= log.durableNext) this.#summaries.set(summary.base, summary)
    }
    for (const base of this.#summaries.keys()) if (base < log.oldest) this.#summaries.delete(base)
    log.removeDropped(log.oldest)
  }

  async #restart(kind: 'kill' | 'cutPower' | 'loseCatalogue'): Promise<void> {
    this.durable = Math.max(this.durable, this.log.state.durable.next)
    const before = this.log
    this.#hasLostPower ||= kind === 'cutPower'
    this.disk = kind === 'cutPower' ? this.disk.cutPower() : this.disk.kill()
    await this.settle()
    before.close()
    const state = this.#state
    assert.ok(state !== undefined)
    const isKnown = kind !== 'loseCatalogue'
    const known = isKnown ? { state, summaries: this.#summaries } : { summaries: new Map<number, SegmentSummary>() }
    const opened = await openLog({ ...logOptions(this.disk, FOLDER), ...known, sameBoot: kind !== 'cutPower' })
    this.log = opened.log
    assert.deepEqual(opened.report.missingSegments, [])
    assert.deepEqual(opened.report.lost, [])
    if (isKnown) assert.ok(this.log.next >= state.next && this.log.oldest >= state.oldest)
    if (kind === 'kill') assert.equal(this.log.next, Math.max(state.next, before.next))
    if (kind === 'cutPower') await this.#forgetLost()
    // Numbers that were given up before any record got them are known to the catalogue only.
    if (kind === 'loseCatalogue') this.#given = this.log.next
    assert.ok(this.log.next >= this.durable, `durable ${this.durable} but next ${this.log.next}`)
    await this.check()
    this.#checkpoint()
  }

  /** After a power cut: what is left must be a prefix; the numbers behind it may be given again. */
  async #forgetLost(): Promise<void> {
    const messages = await readAll(this.log, this.log.oldest)
    const left = new Set(messages.map(({ sequenceNumber }) => sequenceNumber))
    let isLost = false
    for (const sequence of [...this.stored.keys()].filter((number) => number >= this.log.oldest)) {
      isLost ||= !left.has(sequence)
      if (!isLost) continue
      assert.ok(!left.has(sequence), `${sequence} is left behind a lost one`)
      assert.ok(sequence >= this.durable || sequence < this.#dropped, `durable ${sequence} was lost`)
    }
    for (const sequence of this.stored.keys()) if (!left.has(sequence)) this.stored.delete(sequence)
    this.#given = this.log.next
  }
}
