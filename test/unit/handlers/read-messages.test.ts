import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MIB } from '../../../component/base/limits.ts'
import { nextTurn } from '../../../component/base/turn.ts'
import { readMessages } from '../../../component/handlers/read-messages.ts'
import { encodeReadResponse } from '../../helpers/read-response.ts'

const messagesOf = (count: number): { sequenceNumber: number; ingestTimeMs: number; payload: Buffer }[] =>
  Array.from({ length: count }, (_, index) => ({
    sequenceNumber: index,
    ingestTimeMs: 1_700_000_000_000 + index,
    payload: Buffer.alloc(1_000, index)
  }))

test('a usual answer is written at once', () => {
  const messages = messagesOf(100)
  const frame = readMessages.encode('id', { streamName: 's', messages }, Buffer.allocUnsafe)
  assert.ok(Buffer.isBuffer(frame))
  assert.ok(frame.equals(encodeReadResponse('id', 's', messages)))
})

test('a large answer is written in turns, and is the same', async () => {
  const messages = messagesOf(4_000)
  const frame = readMessages.encode('id', { streamName: 's', messages }, Buffer.allocUnsafe)
  assert.ok(frame instanceof Promise)
  let isWritten = false
  void frame.then(() => (isWritten = true))
  const hasEnded = (): boolean => isWritten
  let turns = 0
  for (; !hasEnded(); turns += 1) await nextTurn()
  assert.ok(turns >= (4 * MIB) / (256 * 1024) - 1, `${turns} turns`)
  assert.ok((await frame).equals(encodeReadResponse('id', 's', messages)))
})
