import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { createTokenValidator, type TokenValidator } from '../../../component/greengrass/token-validator.ts'
import { createFakeClock, flush, type FakeClock } from '../../helpers/fake-clock.ts'

/** A question that the nucleus has not answered yet. */
interface Question {
  readonly token: string
  readonly answer: (verdict: boolean) => void
  readonly fail: (error: Error) => void
}

interface Scene {
  readonly clock: FakeClock
  readonly validator: TokenValidator
  /** All questions so far, in order. */
  readonly questions: Question[]
}

/** @param verdictOf answers at once; without it the test answers */
function createScene(verdictOf?: (token: string) => boolean): Scene {
  const clock = createFakeClock()
  const questions: Question[] = []
  const ask = (token: string): Promise<boolean> =>
    new Promise((resolve, reject) => {
      questions.push({ token, answer: resolve, fail: reject })
      if (verdictOf !== undefined) resolve(verdictOf(token))
    })
  return { clock, validator: createTokenValidator({ clock, ask }), questions }
}

const isValid = (token: string): boolean => token.startsWith('valid')

describe('verdicts', () => {
  it('are those of the nucleus', async () => {
    const { validator } = createScene(isValid)
    assert.equal(await validator.validate('valid'), true)
    assert.equal(await validator.validate('wrong'), false)
  })

  it('are remembered for 60 s if positive', async () => {
    const { clock, validator, questions } = createScene(isValid)
    await validator.validate('valid')
    clock.advance(59_999)
    assert.equal(await validator.validate('valid'), true)
    assert.equal(questions.length, 1)
    clock.advance(1)
    await validator.validate('valid')
    assert.equal(questions.length, 2)
  })

  it('are remembered for 1 s if negative', async () => {
    const { clock, validator, questions } = createScene(isValid)
    await validator.validate('wrong')
    clock.advance(999)
    assert.equal(await validator.validate('wrong'), false)
    assert.equal(questions.length, 1)
    clock.advance(1)
    await validator.validate('wrong')
    assert.equal(questions.length, 2)
  })

  it('are not prolonged by being used', async () => {
    const { clock, validator, questions } = createScene(isValid)
    for (let second = 0; second <= 60; second += 20) {
      await validator.validate('valid')
      clock.advance(20_000)
    }
    assert.equal(questions.length, 2)
  })

  it('do not depend on the wall clock', async () => {
    const { clock, validator, questions } = createScene(isValid)
    await validator.validate('valid')
    clock.jumpWall(-1_000_000)
    clock.advance(60_000)
    await validator.validate('valid')
    assert.equal(questions.length, 2)
  })

  it('of wrong tokens do not drive out those of valid ones', async () => {
    const { clock, validator, questions } = createScene(isValid)
    await validator.validate('valid')
    for (let number = 0; number < 1_000; number += 1) {
      const verdict = validator.validate(`wrong-${number}`)
      if (number % 90 === 89) clock.advance(1_000)
      await verdict
    }
    const asked = questions.length
    assert.equal(await validator.validate('valid'), true)
    assert.equal(questions.length, asked)
  })

  it('of the longest known valid tokens are forgotten first', async () => {
    const { validator, questions } = createScene(isValid)
    for (let number = 0; number <= 512; number += 1) await validator.validate(`valid-${number}`)
    assert.equal(questions.length, 513)
    await validator.validate('valid-1')
    assert.equal(questions.length, 513)
    await validator.validate('valid-0')
    assert.equal(questions.length, 514)
  })

  it('are all forgotten on request, and so is what was asked before', async () => {
    const { validator, questions } = createScene()
    const before = validator.validate('valid')
    questions[0]!.answer(true)
    await before
    const meanwhile = validator.validate('other')
    validator.forget()
    questions[1]!.answer(true)
    assert.equal(await meanwhile, true)
    void validator.validate('valid')
    void validator.validate('other')
    assert.deepEqual(
      questions.map(({ token }) => token),
      ['valid', 'other', 'valid', 'other']
    )
  })

  it('that cannot be had are neither', async () => {
    const { validator, questions } = createScene()
    const first = validator.validate('valid')
    questions[0]!.fail(new Fault('no connection'))
    await assert.rejects(first, { name: 'Fault', message: 'no connection' })
    const second = validator.validate('valid')
    questions[1]!.answer(true)
    assert.equal(await second, true)
  })
})

describe('the nucleus is not asked', () => {
  it('twice at a time about the same token', async () => {
    const { validator, questions } = createScene()
    const verdicts = [1, 2, 3].map(() => validator.validate('valid'))
    assert.equal(questions.length, 1)
    questions[0]!.answer(true)
    assert.deepEqual(await Promise.all(verdicts), [true, true, true])
  })

  it('about what cannot be a token', async () => {
    const { validator, questions } = createScene(() => true)
    for (const text of ['', ' ', 'a b', 'é', '\0', 'a\n', 'x'.repeat(1_025), '\u2028'])
      assert.equal(await validator.validate(text), false, JSON.stringify(text))
    assert.equal(questions.length, 0)
    for (const token of ['x', 'AB+/cd==', '~!"\\', 'x'.repeat(1_024)])
      assert.equal(await validator.validate(token), true)
  })

  it('about more than 16 tokens at a time, and about the others in their order', async () => {
    const { validator, questions } = createScene()
    const verdicts = Array.from({ length: 20 }, (_, number) => validator.validate(`valid-${number}`))
    assert.equal(questions.length, 16)
    questions[3]!.answer(true)
    await flush()
    assert.equal(questions[16]?.token, 'valid-16')
    assert.equal(questions.length, 17)
    for (let number = 0; number < 20; number += 1) {
      questions[number]!.answer(true)
      await flush()
    }
    assert.deepEqual(
      await Promise.all(verdicts),
      Array.from({ length: 20 }, () => true)
    )
  })

  it('about tokens beyond the queue', async () => {
    const { validator, questions } = createScene()
    const verdicts = Array.from({ length: 16 + 256 }, (_, number) => validator.validate(`valid-${number}`))
    await assert.rejects(validator.validate('one-more'), Fault)
    // The same token needs no place of its own.
    verdicts.push(validator.validate('valid-271'))
    for (let number = 0; number < 16 + 256; number += 1) {
      questions[number]!.answer(true)
      await flush()
    }
    assert.ok((await Promise.all(verdicts)).every((verdict) => verdict))
  })
})

describe('time', () => {
  it('ends the wait for a verdict after 5 s', async () => {
    const { clock, validator, questions } = createScene()
    const verdict = validator.validate('valid')
    const refused = assert.rejects(verdict, Fault)
    clock.advance(4_999)
    assert.equal(clock.pendingTimers, 1)
    clock.advance(1)
    await refused
    // What comes later is no verdict any more.
    questions[0]!.answer(true)
    await flush()
    void validator.validate('valid')
    assert.equal(questions.length, 2)
  })

  it('ends the wait in the queue too, and the nucleus is not bothered then', async () => {
    const { clock, validator, questions } = createScene()
    const verdicts = Array.from({ length: 17 }, (_, number) => validator.validate(`valid-${number}`))
    const all = Promise.allSettled(verdicts)
    clock.advance(5_000)
    assert.ok((await all).every(({ status }) => status === 'rejected'))
    for (const question of questions.splice(0)) question.answer(true)
    await flush()
    assert.deepEqual(questions, [])
  })

  it('limits wrong tokens to 100 a second; further tokens wait, also valid ones', async () => {
    const { clock, validator, questions } = createScene(isValid)
    for (let number = 0; number < 100; number += 1) assert.equal(await validator.validate(`wrong-${number}`), false)
    clock.advance(400)
    const late = validator.validate('wrong-100')
    const valid = validator.validate('valid')
    await flush()
    assert.equal(questions.length, 100)
    clock.advance(599)
    assert.equal(questions.length, 100)
    clock.advance(1)
    assert.deepEqual(await Promise.all([late, valid]), [false, true])
  })

  it('does not limit valid tokens', async () => {
    const { validator } = createScene(isValid)
    for (let number = 0; number < 500; number += 1) assert.equal(await validator.validate(`valid-${number}`), true)
  })
})
