import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { failureText } from '../../../component/sinks/failure-text.ts'

test('a failure is told by its name, or by its code when the name says nothing', () => {
  const coded = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
  assert.equal(failureText(coded), 'ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1')
  assert.equal(failureText(new RangeError('x')), 'RangeError: x')
  assert.equal(failureText(new AggregateError([coded, new Error('other')])), failureText(coded))
  assert.equal(failureText(new AggregateError([], 'none')), 'Error: none')
  assert.equal(failureText(new Fault('CredentialsError: none')), 'CredentialsError: none')
  assert.equal(failureText('text'), 'Error: text')
})

test('it is one line of bounded length, whatever a destination answers', () => {
  assert.equal(failureText(new RangeError('a\r\n\u001b[31mb\u2028c')), 'RangeError: a [31mb c')
  assert.equal(failureText(new RangeError('x'.repeat(10_000))).length, 301)
})

test('of an answer that cannot be parsed nothing is quoted', () => {
  const error = new SyntaxError('Unexpected token, "<html>who are you" is not valid JSON')
  assert.equal(failureText(error), 'InvalidResponse: the answer cannot be read')
})
