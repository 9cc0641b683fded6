import assert from 'node:assert/strict'
import type { StreamDefinition } from '../../component/model/stream-definition.ts'

/** One append as its client sees it. Texts are unique. */
export interface ModelAppend {
  readonly text: string
  outcome: 'open' | 'refused' | number
}

/** What clients know of one stream, from its creation to its deletion. */
export interface Incarnation {
  /** As it was created. */
  readonly definition: StreamDefinition
  /** All that it has had so far. */
  readonly definitions: StreamDefinition[]
  /** In the order in which they were sent. */
  readonly appends: ModelAppend[]
}

/** A change of the streams that was asked for and not answered yet. */
export interface OpenChange {
  readonly kind: 'create' | 'update' | 'delete'
  readonly definition: StreamDefinition
}

/** What clients know of one name. */
export interface ModelName {
  /** Undefined: there is no such stream. */
  definition: StreamDefinition | undefined
  /** In the order in which they were asked for, which is that of their effects. */
  readonly open: OpenChange[]
}

/** The state behind a change that worked. */
export function applyChange(current: StreamDefinition | undefined, change: OpenChange): StreamDefinition | undefined {
  switch (change.kind) {
    case 'create':
      return current ?? change.definition
    case 'update':
      return current === undefined || current.persistence !== change.definition.persistence
        ? current
        : change.definition
    case 'delete':
      return undefined
  }
}

/** All that a restart may find: each of the open changes may have taken effect or not. */
export function possibleDefinitions({ definition, open }: ModelName): (StreamDefinition | undefined)[] {
  const possible = [definition]
  let current = definition
  for (const change of open) {
    current = applyChange(current, change)
    possible.push(current)
  }
  return possible
}

/** What was found in a stream. */
export interface FoundStream {
  readonly oldest: number
  readonly next: number
  readonly messages: ReadonlyMap<number, string>
}

/** Checks that everything found was appended, at its number, and was never refused. */
export function checkNothingForeign(incarnation: Incarnation, found: FoundStream): void {
  const byText = new Map(incarnation.appends.map((append) => [append.text, append]))
  for (const [number, text] of found.messages) {
    const append = byText.get(text)
    assert.ok(append !== undefined, `message ${number} was never appended: ${text}`)
    assert.notEqual(append.outcome, 'refused', `message ${number} was refused`)
    if (append.outcome !== 'open') assert.equal(number, append.outcome, `${text} has another number`)
  }
}

/** Checks that all acknowledged messages from `oldest` on, below `below`, were found. */
export function checkNothingLost(incarnation: Incarnation, found: FoundStream, below: number): void {
  for (const { text, outcome } of incarnation.appends) {
    if (typeof outcome !== 'number' || outcome < found.oldest || outcome >= below) continue
    assert.equal(found.messages.get(outcome), text, `acknowledged message ${outcome} is lost`)
  }
}

/** Checks that what is left of the acknowledged messages is a prefix: no hole before a survivor. */
export function checkPrefix(incarnation: Incarnation, found: FoundStream): void {
  let firstLost: number | undefined
  for (const { outcome } of incarnation.appends) {
    if (typeof outcome !== 'number' || outcome < found.oldest) continue
    if (!found.messages.has(outcome)) firstLost ??= outcome
    else assert.equal(firstLost, undefined, `message ${outcome} survived the lost ${firstLost ?? ''}`)
  }
}

/** Numbers are given in the order of the appends. */
export function checkOrder({ appends }: Incarnation): void {
  let last = -1
  for (const { outcome } of appends) {
    if (typeof outcome !== 'number') continue
    assert.ok(outcome > last, `number ${outcome} was given after ${last}`)
    last = outcome
  }
}

/** After a restart: what was found is what is known from now on. */
export function settleAppends({ appends }: Incarnation, found: FoundStream): void {
  const numbers = new Map([...found.messages].map(([number, text]) => [text, number]))
  const left = appends.filter(({ text }) => numbers.has(text))
  left.sort((first, second) => (numbers.get(first.text) ?? 0) - (numbers.get(second.text) ?? 0))
  for (const append of left) append.outcome = numbers.get(append.text) ?? 'open'
  appends.splice(0, appends.length, ...left)
}
