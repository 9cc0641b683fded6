import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAnswers } from '../../../component/server/answers.ts'

function scene() {
  const sent: string[] = []
  const answers = createAnswers((frame) => sent.push(frame.toString()))
  return { answers, sent }
}

test('answers to different ids leave as they come', () => {
  const { answers, sent } = scene()
  const first = answers.open('1', 0)
  const second = answers.open('2', 0)
  answers.answer(second, Buffer.from('second'))
  answers.answer(first, Buffer.from('first'))
  assert.deepEqual(sent, ['second', 'first'])
  assert.equal(answers.openCount, 0)
})

test('answers to the JavaScript SDK, whose ids are all one space, leave in the order of their requests', () => {
  const { answers, sent } = scene()
  const requests = ['a', 'b', 'c'].map((name) => ({ name, pending: answers.open(' ', 0) }))
  const other = answers.open('other', 0)
  for (const { name, pending } of requests.toReversed()) {
    if (name !== 'a') answers.answer(pending, Buffer.from(name))
  }
  answers.answer(other, Buffer.from('other'))
  assert.deepEqual(sent, ['other'])
  answers.answer(requests[0]!.pending, Buffer.from('a'))
  assert.deepEqual(sent, ['other', 'a', 'b', 'c'])
  const later = answers.open(' ', 0)
  answers.answer(later, Buffer.from('later'))
  assert.equal(sent.at(-1), 'later')
})

test('the oldest request with a deadline is found behind reads, which have none', () => {
  const { answers } = scene()
  answers.open('read', undefined)
  assert.equal(answers.oldestWithDeadlineMs(), undefined)
  const append = answers.open('append', 7)
  answers.open('append 2', 9)
  assert.equal(answers.oldestWithDeadlineMs(), 7)
  answers.answer(append, Buffer.from('done'))
  assert.equal(answers.oldestWithDeadlineMs(), 9)
})

test('answering twice is a bug', () => {
  const { answers } = scene()
  const pending = answers.open('1', 0)
  answers.answer(pending, Buffer.from('x'))
  assert.throws(() => answers.answer(pending, Buffer.from('y')), { name: 'BrokenInvariant' })
})
