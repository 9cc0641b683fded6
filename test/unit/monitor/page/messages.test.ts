import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseMessages, payloadText, type ShownMessage } from '../../../../component/monitor/page/messages.ts'

const messageOf = (payload: string | readonly number[], sizeBytes?: number): ShownMessage => {
  const bytes = Buffer.from(payload as string)
  return { sequenceNumber: 1, ingestTimeMs: 0, sizeBytes: sizeBytes ?? bytes.length, bytes }
}

describe('views of a message', () => {
  it('show JSON over lines, and every number as it was written', () => {
    const json = '{"id":9007199254740993,"list":[1.50,{},[]],"text":"a\\"{,b"}'
    assert.equal(
      payloadText(messageOf(json), 'JSON').text,
      '{\n  "id": 9007199254740993,\n  "list": [\n    1.50,\n    {},\n    []\n  ],\n  "text": "a\\"{,b"\n}'
    )
  })

  it('show any JSON as what it means', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const { text, note } = payloadText(messageOf(json), 'JSON')
        assert.equal(note, undefined)
        assert.deepEqual(JSON.parse(text), JSON.parse(json))
      })
    )
  })

  it('say so when a message is no JSON, or no text', () => {
    assert.deepEqual(payloadText(messageOf('{oh'), 'JSON'), { text: '{oh', note: 'no JSON' })
    assert.deepEqual(payloadText(messageOf([0xff, 0x41]), 'text'), {
      text: `0000  ${'ff 41'.padEnd(47)}  .A`,
      note: 'no text'
    })
  })

  it('show bytes in hex', () => {
    const bytes = Array.from({ length: 17 }, (_, index) => index + 0x40)
    assert.equal(
      payloadText(messageOf(bytes), 'hex').text,
      `0000  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO\n0010  ${'50'.padEnd(47)}  P`
    )
  })

  it('show what would turn or hide text', () => {
    assert.equal(payloadText(messageOf('a\u202eb\u0007'), 'text').text, 'a\\u202eb\\u0007')
  })

  it('show a text that was cut within a character', () => {
    const euro = Buffer.from('abc€')
    assert.equal(payloadText(messageOf([...euro.subarray(0, 5)], 900), 'text').text, 'abc')
    assert.equal(payloadText(messageOf([...euro.subarray(0, 5)]), 'text').note, 'no text')
  })
})

describe('an answer with messages', () => {
  it('is read, without what is no message', () => {
    const entry = { sequenceNumber: 7, ingestTime: 5, sizeBytes: 2, payload: 'aGk=' }
    const found = parseMessages({ messages: [entry, { ...entry, sequenceNumber: -1 }, {}] })
    assert.deepEqual(found, [{ sequenceNumber: 7, ingestTimeMs: 5, sizeBytes: 2, bytes: Uint8Array.from([104, 105]) }])
  })

  it('is nothing else', () => {
    for (const json of [{}, [], 5, { messages: 'none' }]) assert.equal(parseMessages(json), undefined)
  })
})
