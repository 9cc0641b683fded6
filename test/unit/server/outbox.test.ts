import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { type BufferPool, createBufferPool } from '../../../component/base/buffer-pool.ts'
import { KIB, MIB } from '../../../component/base/limits.ts'
import { nextTurn, SLICE_BYTES, WHOLE_ANSWER_BYTES_MAX } from '../../../component/base/turn.ts'
import { createOutbox, type Outbox } from '../../../component/server/outbox.ts'

/** An outbox whose peer takes everything at once. */
function scene(buffers: BufferPool = createBufferPool()): {
  outbox: Outbox
  taken: Buffer[]
  takenBytes: () => number
} {
  const taken: Buffer[] = []
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // After `done` its memory may be used again.
      taken.push(Buffer.from(chunk))
      done()
    }
  })
  const outbox = createOutbox(socket, buffers, () => undefined)
  return { outbox, taken, takenBytes: () => taken.reduce((sum, { length }) => sum + length, 0) }
}

/** The most bytes that were taken in one turn, until all were. */
async function mostInTurn({ outbox, takenBytes }: ReturnType<typeof scene>): Promise<number> {
  let most = 0
  while (!outbox.isEmpty) {
    const before = takenBytes()
    await nextTurn()
    most = Math.max(most, takenBytes() - before)
  }
  return most
}

test('a large answer leaves slice by slice, in full', async () => {
  const opened = scene()
  const frame = Buffer.from(Uint8Array.from({ length: 4 * MIB + 5 }, (_, index) => index % 251))
  let sent = 0
  opened.outbox.send(frame, () => (sent += 1))
  assert.equal(await mostInTurn(opened), SLICE_BYTES)
  assert.ok(Buffer.concat(opened.taken).equals(frame))
  assert.equal(sent, 1)
})

test('so do many answers of middle size that wait together', async () => {
  const opened = scene()
  for (let count = 0; count < 40; count += 1) opened.outbox.send(Buffer.alloc(100 * KIB, count))
  assert.ok((await mostInTurn(opened)) < WHOLE_ANSWER_BYTES_MAX + 100 * KIB)
  assert.ok(
    Buffer.concat(opened.taken).equals(Buffer.concat(Array.from({ length: 40 }, (_, i) => Buffer.alloc(100 * KIB, i))))
  )
})

test('small answers of one turn leave together', async () => {
  const opened = scene()
  for (let count = 0; count < 100; count += 1) opened.outbox.send(Buffer.alloc(100))
  await nextTurn()
  assert.deepEqual(
    opened.taken.map(({ length }) => length),
    [10_000]
  )
})

test('the memory in which small answers were gathered is used again, however many wait', async () => {
  let free = 0
  let made = 0
  const memory: Buffer[] = []
  const buffers: BufferPool = {
    take(bytes) {
      free -= 1
      made += memory.length === 0 ? 1 : 0
      return memory.pop() ?? Buffer.alloc(bytes)
    },
    giveBack(buffer) {
      free += 1
      memory.push(buffer)
    }
  }
  const opened = scene(buffers)
  const frames = (first: number): Buffer[] => Array.from({ length: 100 }, (_, i) => Buffer.alloc(9 * KIB, first + i))
  for (const round of [0, 1]) {
    for (const frame of frames(round)) opened.outbox.send(frame)
    while (!opened.outbox.isEmpty) await nextTurn()
    assert.equal(free, 0, 'all that was taken is back')
  }
  assert.equal(made, memory.length)
  assert.ok(Buffer.concat(opened.taken).equals(Buffer.concat([...frames(0), ...frames(1)])))
})
