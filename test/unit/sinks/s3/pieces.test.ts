import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMultipart, partBytesOf } from '../../../../component/sinks/s3/limits.ts'
import { objectMetadata } from '../../../../component/sinks/s3/metadata.ts'
import { pacedChunkBytes } from '../../../../component/sinks/s3/settings.ts'
import { decodeTaskState, encodeTaskState, type TaskState } from '../../../../component/sinks/s3/task-state.ts'

const MIB = 1024 * 1024

describe('metadata', () => {
  it('goes without its prefix, in lower case, and without names that no header can have', () => {
    const given = new Map([
      ['x-amz-meta-A', '1'],
      ['B', ''],
      ['$aws-gg-c', '3'],
      ['X-AMZ-META-$AWS-GG-d', '4'],
      ['e f', '5'],
      ['', '6'],
      ['x-amz-meta-', '7'],
      ['g', 'line\nbreak']
    ])
    assert.deepEqual(objectMetadata(given), {
      metadata: { a: '1', b: '', g: `=?UTF-8?B?${Buffer.from('line\nbreak').toString('base64')}?=` },
      dropped: ['$aws-gg-c', 'X-AMZ-META-$AWS-GG-d', 'e f', '', 'x-amz-meta-']
    })
  })

  it('may be named like a member of every object', () => {
    const { metadata } = objectMetadata(new Map([['__proto__', 'x']]))
    assert.deepEqual(Object.entries(metadata), [['__proto__', 'x']])
  })
})

describe('the size of an upload', () => {
  it('decides whether it goes in parts: by the threshold, but not below the smallest part', () => {
    assert.equal(isMultipart(5 * MIB, undefined, 5 * MIB), false)
    assert.equal(isMultipart(5 * MIB + 1, undefined, 5 * MIB), true)
    assert.equal(isMultipart(8 * MIB, undefined, 8 * MIB), false)
    assert.equal(isMultipart(20 * MIB, BigInt(20 * MIB), 5 * MIB), false)
    assert.equal(isMultipart(5 * 1024 * MIB, 2n ** 62n, 5 * MIB), false)
    assert.equal(isMultipart(5 * 1024 * MIB + 1, 2n ** 62n, 5 * MIB), true, 'no single PUT is larger')
  })

  it('decides how large the parts are: never more than 10000', () => {
    assert.equal(partBytesOf(6 * MIB, 5 * MIB), 5 * MIB)
    assert.equal(partBytesOf(50_000 * MIB, 5 * MIB), 5 * MIB)
    assert.equal(partBytesOf(50_000 * MIB + 1, 5 * MIB), 5 * MIB + 1)
    const fileBytes = 5 * 1024 * 1024 * MIB
    assert.ok(Math.ceil(fileBytes / partBytesOf(fileBytes, 5 * MIB)) <= 10_000)
  })
})

it('a limit of the bandwidth makes the pieces of a body small', () => {
  assert.deepEqual([8_000, 1_000_000, 2 ** 40].map(pacedChunkBytes), [1_024, 31_250, 65_536])
})

describe('the state of a task', () => {
  const state: TaskState = {
    bucket: 'b',
    key: 'k"é',
    file: { inode: '18446744073709551615', bytes: 2 ** 43, modifiedNs: '1700000000123456789' },
    restarts: 1,
    region: 'us-west-2',
    upload: { id: 'u', partBytes: 5, partsDone: 3, crc: 4_000_000_000 }
  }

  it('is read as it was written', () => {
    assert.deepEqual(decodeTaskState(encodeTaskState(state)), state)
    const { bucket, key, file, restarts } = state
    const least = { bucket, key, file, restarts }
    assert.deepEqual(decodeTaskState(encodeTaskState(least)), least)
  })

  for (const text of ['', 'null', '[]', '{}', '{"bucket":1}', encodeTaskState({ ...state, restarts: -1 })]) {
    it(`is not read from ${text}`, () => assert.equal(decodeTaskState(text), undefined))
  }

  it('is not read when a part of it is broken', () => {
    for (const upload of [null, {}, { ...state.upload, partBytes: 0 }, { ...state.upload, id: 1 }]) {
      assert.equal(decodeTaskState(JSON.stringify({ ...state, upload })), undefined)
    }
  })
})
