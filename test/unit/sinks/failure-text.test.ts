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

test('a connection that broke is told as such, not as a time-out, which the AWS clients call it', () => {
  const renamed = (code: string | undefined, message: string): Error =>
    Object.assign(new Error(message), { name: 'TimeoutError', ...(code === undefined ? {} : { code }) })
  assert.equal(failureText(renamed('ECONNRESET', 'read ECONNRESET')), 'ECONNRESET: read ECONNRESET')
  assert.equal(failureText(renamed('EPIPE', 'write EPIPE')), 'EPIPE: write EPIPE')
  assert.equal(failureText(renamed('ETIMEDOUT', 'no answer')), 'TimeoutError: no answer')
  assert.equal(
    failureText(renamed(undefined, '@smithy/node-http-handler - the request socket timed out (configured by x).')),
    'TimeoutError: the request socket timed out'
  )
})

test('of a TLS failure the reason is told, without the insides of the library', () => {
  for (const [code, text] of [
    [
      'EPROTO',
      'write EPROTO C0164C50297F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../a.c:350:\n'
    ],
    [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'C016:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../b.c:9:'
    ],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'error:0A00010B:SSL routines::wrong version number']
  ] as const) {
    assert.equal(failureText(Object.assign(new Error(text), { code })), 'EPROTO: wrong version number')
  }
  assert.equal(failureText(Object.assign(new Error('write EPROTO'), { code: 'EPROTO' })), 'EPROTO: write EPROTO')
})

test('it is one line of bounded length, whatever a destination answers', () => {
  assert.equal(failureText(new RangeError('a\r\n\u001b[31mb\u2028c')), 'RangeError: a [31mb c')
  assert.equal(failureText(new RangeError('x'.repeat(10_000))).length, 301)
})

test('of an answer that cannot be parsed nothing is quoted', () => {
  const error = new SyntaxError('Unexpected token, "<html>who are you" is not valid JSON')
  assert.equal(failureText(error), 'InvalidResponse: the answer cannot be read')
})
