import assert from 'node:assert/strict'
import { parseS3Task } from '../../../component/export/s3-task.ts'
import { inputPaths } from '../../../component/sinks/s3/input-url.ts'
import { objectMetadata } from '../../../component/sinks/s3/metadata.ts'
import { resolveKey } from '../../../component/sinks/s3/object-key.ts'
import { mutate, pick } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const TASKS = [
  { inputUrl: 'file:///tmp/a%20b', bucket: 'my-bucket', key: 'a/!{timestamp:yyyy/MM/dd}/b' },
  { inputUrl: 'file:/tmp/a', bucket: 'a.b.c', key: 'k', userMetadata: { 'x-amz-meta-a': 'b', ä: 'ö' } },
  { inputUrl: '/var/log/x.log', bucket: '1.2.3.a', key: '!{timestamp:YYYYMMddHHmmssSSS}' },
  { inputUrl: 'file://localhost/etc/passwd', bucket: 'bucket', key: 'x', userMetadata: null }
].map((task) => Buffer.from(JSON.stringify(task)))

const TOKENS = [
  'file:',
  '//',
  '../',
  '%00',
  '%2e%2e%2f',
  '%',
  '\\u0000',
  'C:\\\\',
  'localhost',
  '!{timestamp:',
  '!{timestamp:yyyy}',
  '}',
  '\\ud800',
  '"',
  'null',
  '[',
  '{',
  '192.168.0.1',
  '-',
  '.',
  '__proto__'
].map((text) => Buffer.from(text))

const NOW_MS = 1_700_000_000_000

/** S3 tasks, from the payload to the path of the file and the key of the object. */
export const s3Tasks: FuzzTarget = {
  name: 's3-tasks',
  inputCount: 40_000,
  generate: (random) => mutate(random, pick(random, TASKS), { others: TASKS, tokens: TOKENS }),
  run(input) {
    const parsed = parseS3Task(input)
    const { task } = parsed
    if (parsed.ok) {
      assert.match(task.bucket, /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
      assert.doesNotMatch(task.bucket, /^\d+\.\d+\.\d+\.\d+$/)
      assert.ok(task.key.length >= 1 && task.key.length <= 1_024)
    } else {
      assert.ok(parsed.problem.length > 0)
    }
    const paths = inputPaths(task.inputUrl)
    if (paths.ok) {
      assert.ok(paths.paths.length >= 1 && paths.paths.length <= 2)
      for (const path of paths.paths) assert.match(path, /^(\/|[a-zA-Z]:[\\/])[^\0]*$/)
    }
    const key = resolveKey(task.key, NOW_MS)
    if (key.ok) {
      assert.ok(Buffer.byteLength(key.key) <= 1_024)
      assert.doesNotMatch(key.key, /!\{timestamp:[a-zA-Z/]+\}/)
    }
    objectMetadata(task.userMetadata ?? new Map())
  }
}
