import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asciiJson, base64Bytes, createJsonBody } from '../../../component/sinks/json-body.ts'

const SIZES = [0, 1, 2, 3, 4, 4_096, 4_097, 24 * 1024 - 1, 24 * 1024, 24 * 1024 + 1, 100_001]

test('payloads of all sizes are base64 as Node.js writes it', () => {
  for (const size of SIZES) {
    const payload = Buffer.from(Uint8Array.from({ length: size }, (_, index) => index * 31))
    const body = createJsonBody(base64Bytes(size) + 4)
    body.add('["', payload)
    body.add('"]')
    assert.equal(body.finish().toString(), JSON.stringify([payload.toString('base64')]), String(size))
  }
})

test('a body that is longer than was said is a bug, not a shorter body', () => {
  const payload = Buffer.alloc(30)
  assert.throws(() => createJsonBody(base64Bytes(30)).add('"', payload), /as long as was said/)
})

test('texts are written in ASCII and read as they were', () => {
  for (const text of ['plain', 'a "quoted" \\ \n', 'é ü', '\u{1f600} 漢字', '\u2028', '\ud800']) {
    const json = asciiJson(text)
    assert.match(json, /^[\x20-\x7e]*$/)
    assert.equal(JSON.parse(json), text)
  }
})
