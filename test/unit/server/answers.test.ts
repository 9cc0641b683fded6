import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashId } from '../../../component/protocol/index.ts'
import { createAnswers, type Answers } from '../../../component/server/answers.ts'
import { Turn } from '../../../component/server/turn.ts'

class RecordingTurn extends Turn {
  readonly #name: string
  readonly #left: string[]

  constructor(requestId: string, startedMs: number, name: string, left: string[]) {
    super(hashId(requestId), startedMs)
    this.#name = name
    this.#left = left
  }

  leave(): void {
    this.#left.push(this.#name)
  }
}

function scene(): {
  readonly answers: Answers
  readonly left: string[]
  readonly open: (requestId: string, name?: string, startedMs?: number) => Turn
} {
  const left: string[] = []
  const answers = createAnswers()
  return {
    answers,
    left,
    open(requestId, name = requestId, startedMs = 0) {
      const turn = new RecordingTurn(requestId, startedMs, name, left)
      answers.open(turn)
      return turn
    }
  }
}

test('answers to different ids leave as they come', () => {
  const { answers, left, open } = scene()
  const ids = Array.from({ length: 256 }, (_, index) => `id-${index * 7919}`)
  const turns = ids.map((id) => open(id))
  assert.equal(answers.openCount, 256)
  const order = turns.map((_, index) => (index * 101) % 256)
  for (const index of order) answers.answered(turns[index]!)
  assert.deepEqual(
    left,
    order.map((index) => ids[index])
  )
  assert.equal(answers.openCount, 0)
  assert.equal(answers.oldestWithDeadlineMs(), undefined)
})

test('answers to the JavaScript SDK, whose ids are all one space, leave in the order of their requests', () => {
  const { answers, left, open } = scene()
  const [first, second, third] = ['a', 'b', 'c'].map((name) => open(' ', name))
  const other = open('other')
  answers.answered(third!)
  answers.answered(second!)
  answers.answered(other)
  assert.deepEqual(left, ['other'])
  answers.answered(first!)
  assert.deepEqual(left, ['other', 'a', 'b', 'c'])
  answers.answered(open(' ', 'later'))
  assert.equal(left.at(-1), 'later')
})

test('a request may come between answers that wait for each other', () => {
  const { answers, left, open } = scene()
  const first = open('1', 'first')
  answers.answered(open('1', 'second'))
  const third = open('1', 'third')
  answers.answered(first)
  assert.deepEqual(left, ['first', 'second'])
  const fourth = open('1', 'fourth')
  answers.answered(fourth)
  assert.deepEqual(left, ['first', 'second'])
  answers.answered(third)
  assert.deepEqual(left, ['first', 'second', 'third', 'fourth'])
})

test('the oldest request with a deadline is found behind reads, which have none', () => {
  const { answers, open } = scene()
  open('read', 'read', Infinity)
  assert.equal(answers.oldestWithDeadlineMs(), undefined)
  const append = open('append', 'append', 7)
  open('append 2', 'append 2', 9)
  assert.equal(answers.oldestWithDeadlineMs(), 7)
  answers.answered(append)
  assert.equal(answers.oldestWithDeadlineMs(), 9)
})

test('answering twice is a bug', () => {
  const { answers, open } = scene()
  const turn = open('1')
  answers.answered(turn)
  assert.throws(() => answers.answered(turn), { name: 'BrokenInvariant' })
})
