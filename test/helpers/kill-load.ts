import assert from 'node:assert/strict'
import type { Random } from '../../component/base/random.ts'
import { Incarnation, type Shape, type Slot } from './kill-oracle.ts'
import { defining, STATUS, type ReadMessage } from './stream-calls.ts'
import { OP, type WireClient, type WireMap } from './wire-client.ts'

/*
 * A client of one stream that appends in bursts and now and then creates, updates, deletes and reads. Small segments and
 * streams: every burst rolls, every few drop a segment.
 */

const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random.fraction() * items.length)]!

function randomShape(random: Random, persistence: 0 | 1): Shape {
  return {
    maxSize: pick(random, [8_192, 32_768, 65_536]),
    streamSegmentSize: pick(random, [1_024, 4_096, 10_000]),
    strategyOnFull: random.fraction() < 0.8 ? 1 : 0,
    persistence,
    flushOnWrite: random.fraction() < 0.5
  }
}

/** What the load must not meet: recorded, because the connection's end stops the load in any case. */
export type Report = (problem: unknown) => void

async function status(client: WireClient, operation: number, map: WireMap): Promise<number> {
  return (await client.request(operation, map)).map['status'] as number
}

async function create(client: WireClient, slot: Slot, random: Random, persistence: 0 | 1): Promise<void> {
  const incarnation = new Incarnation(slot.name, randomShape(random, persistence))
  slot.current = incarnation
  slot.pending = 'create'
  const answer = await status(client, OP.createMessageStream, defining(slot.name, { ...incarnation.shape }))
  assert.equal(answer, STATUS.success, `the stream ${slot.name} could not be created`)
  slot.pending = undefined
}

async function appendOne(client: WireClient, incarnation: Incarnation, isDeleted: () => boolean): Promise<void> {
  const { count, payload } = incarnation.send()
  const { map } = await client.request(OP.appendMessage, { name: incarnation.name, payload })
  if (map['status'] === STATUS.success) {
    incarnation.acknowledged(count, map['sequenceNumber'] as number)
    return
  }
  incarnation.refused(count)
  const isExpected =
    map['errorMessage'] === 'the message stream is full' ||
    (map['status'] === STATUS.resourceNotFound && isDeleted()) ||
    map['errorMessage'] === 'the server is stopping'
  assert.ok(isExpected, `an append was refused: ${String(map['errorMessage'])}`)
}

async function update(client: WireClient, incarnation: Incarnation, random: Random): Promise<void> {
  const shape = { ...incarnation.shape, ...randomShape(random, incarnation.shape.persistence) }
  incarnation.pendingShape = shape
  const answer = await status(client, OP.updateMessageStream, defining(incarnation.name, { ...shape }))
  if (answer === STATUS.success) incarnation.updated()
  else assert.equal(answer, STATUS.invalidRequest)
  incarnation.pendingShape = undefined
}

async function readSome(client: WireClient, incarnation: Incarnation, random: Random): Promise<void> {
  const from = Math.floor(random.fraction() * Math.max(1, incarnation.highest))
  const { map } = await client.request(OP.readMessages, {
    streamName: incarnation.name,
    readMessagesOptions: { desiredStartSequenceNumber: from, maxMessageCount: 50 }
  })
  if (map['status'] === STATUS.success) incarnation.seen(map['messages'] as ReadMessage[])
}

/** Deletes with appends on their way. */
async function remove(client: WireClient, slot: Slot, incarnation: Incarnation): Promise<void> {
  slot.pending = 'delete'
  const appends = Array.from({ length: 5 }, () => appendOne(client, incarnation, () => true))
  const deletion = status(client, OP.deleteMessageStream, { name: slot.name }).then((answer) => {
    assert.equal(answer, STATUS.success)
    slot.current = undefined
    slot.pending = undefined
  })
  await Promise.all([...appends, deletion])
}

/** One step of the load on one name. */
async function step(client: WireClient, slot: Slot, random: Random, persistence: 0 | 1): Promise<void> {
  const incarnation = slot.current
  if (incarnation === undefined) return create(client, slot, random, persistence)
  const choice = random.fraction()
  if (choice < 0.06) return remove(client, slot, incarnation)
  if (choice < 0.14) return update(client, incarnation, random)
  if (choice < 0.22) return readSome(client, incarnation, random)
  const burst = 1 + Math.floor(random.fraction() * 40)
  await Promise.all(Array.from({ length: burst }, () => appendOne(client, incarnation, () => false)))
}

/** Works on the name until the connection ends. Whatever went wrong before goes to `report`. */
export async function runLoad(
  client: WireClient,
  slot: Slot,
  random: Random,
  persistence: 0 | 1,
  report: Report
): Promise<void> {
  for (;;) {
    try {
      await step(client, slot, random, persistence)
    } catch (error) {
      if (error instanceof assert.AssertionError) report(error)
      return
    }
  }
}
