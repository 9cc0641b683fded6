import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputLines, salvagedInput, wholeInput } from '../../../component/cli/append-input.ts'
import { parseVariables } from '../../../component/cli/client/environment.ts'
import { VIEWS } from '../../../component/cli/message-views.ts'

const HEAD = '7  2023-11-14T22:13:20.000Z'

const shown = (view: string, payload: string | Buffer): string =>
  VIEWS[view]!({ sequenceNumber: 7, ingestTimeMs: 1_700_000_000_000, payload: Buffer.from(payload) }).toString()

test('text is shown on one line, and what is no text as bytes', () => {
  assert.equal(shown('text', 'a\nb\u001b'), `${HEAD}  a\\nb\\u001b\n`)
  assert.equal(shown('text', Buffer.from('ff00', 'hex')), `${HEAD}  (2 bytes that are no text) ff00\n`)
  assert.match(shown('text', Buffer.alloc(100, 0xff)), /\(100 bytes that are no text\) (ff){32}…\n$/)
})

test('JSON is indented, and anything else shown as text', () => {
  assert.equal(shown('json', '{"a":"\u009b2J"}'), `${HEAD}\n{\n  "a": "\\u009b2J"\n}\n`)
  assert.equal(shown('json', '{'), `${HEAD}  {\n`)
})

test('bytes are shown sixteen a line', () => {
  const lines = shown('hex', Buffer.from(Array.from({ length: 17 }, (_, index) => index + 0x30))).split('\n')
  assert.equal(lines[0], `${HEAD}  17 bytes`)
  assert.equal(lines[1], '  00000000  30 31 32 33 34 35 36 37  38 39 3a 3b 3c 3d 3e 3f  |0123456789:;<=>?|')
  assert.equal(lines[2], `  00000010  40 ${' '.repeat(47)}|@|`)
})

test('each value of a SiteWise entry has a line', () => {
  const value = (number: number, quality?: string) => ({
    value: { doubleValue: number },
    timestamp: { timeInSeconds: 1_700_000_000, offsetInNanos: 5_999_999 },
    quality
  })
  const entry = { entryId: 'x', propertyAlias: '/a', propertyValues: [value(1.5), value(2, 'BAD')] }
  const at = 'at 2023-11-14T22:13:20.005Z'
  assert.equal(shown('sitewise', JSON.stringify(entry)), `${HEAD}  /a  1.5  GOOD  ${at}\n${HEAD}  /a  2  BAD  ${at}\n`)
  assert.match(
    shown('sitewise', '{"assetId":"A","propertyId":"P","propertyValues":[{}]}'),
    / {2}A\/P {2}none {2}GOOD {2}at no time\n$/
  )
  for (const text of ['[]', 'null', '{"propertyValues":3}', 'x'])
    assert.match(shown('sitewise', text), /no SiteWise entry/)
})

async function* chunksOf(...chunks: string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk))
}

async function all(messages: AsyncIterable<Buffer>): Promise<string[]> {
  const found: string[] = []
  for await (const message of messages) found.push(message.toString())
  return found
}

test('lines are found wherever the input is cut', async () => {
  const text = 'one\r\ntwo\n\nthree\n\r\nfo\rur'
  for (let size = 1; size <= text.length; size += 1) {
    const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
    assert.deepEqual(await all(inputLines(chunksOf(...chunks))), ['one', 'two', 'three', 'fo\rur'], String(size))
  }
  assert.deepEqual(await all(inputLines(chunksOf())), [])
})

test('an input as a whole is one message, but not an empty one', async () => {
  assert.deepEqual(await all(wholeInput(chunksOf('a\n', 'b'))), ['a\nb'])
  await assert.rejects(all(wholeInput(chunksOf())), /the input is empty/)
})

test('saved lines give their payloads, and any other names its number', async () => {
  assert.deepEqual(await all(salvagedInput(chunksOf('{"sequence":1,"payload":"YQ=="}\n{"payload":"Yg=="}'))), [
    'a',
    'b'
  ])
  for (const line of ['x', '{}', '{"payload":3}', 'null', '{"payload":""}'])
    await assert.rejects(all(salvagedInput(chunksOf(`{"payload":"YQ=="}\n${line}`))), /^Fault: line 2 of the input/)
})

test('variables come from the kernel as they are, and from a file as a shell would take them', () => {
  assert.deepEqual(parseVariables('A=1\0B= x\ny \0C\0D=\0'), { A: '1', B: ' x\ny ', D: '' })
  assert.deepEqual(parseVariables('# x=1\nexport A="a b"\nB=\'c\'\n C = no\nD=e=f\n\nE=\n'), {
    A: 'a b',
    B: 'c',
    D: 'e=f',
    E: ''
  })
})
