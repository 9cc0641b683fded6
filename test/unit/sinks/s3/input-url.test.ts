import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inputPaths } from '../../../../component/sinks/s3/input-url.ts'

describe('an input URL', () => {
  for (const [url, ...paths] of [
    ['file:/data/a.txt', '/data/a.txt'],
    ['file:///data/a.txt', '/data/a.txt'],
    ['FILE:///data/a.txt', '/data/a.txt'],
    ['file://localhost/data/a.txt', '/data/a.txt'],
    ['file:////data/a.txt', '/data/a.txt'],
    ['/data/a.txt', '/data/a.txt'],
    ['file:///data/a b#c?d.txt', '/data/a b#c?d.txt'],
    ['file:///data/a%20b.txt', '/data/a%20b.txt', '/data/a b.txt'],
    ['file:/data/100%25', '/data/100%25', '/data/100%'],
    ['file:/data/100%', '/data/100%'],
    ['file:/data/%ff', '/data/%ff'],
    ['file:/data/%00x', '/data/%00x'],
    ['file:/data/../etc/passwd', '/data/../etc/passwd'],
    ['file:/data/é', '/data/é'],
    ['file://C:/x', 'C:/x'],
    ['file:///C:/x', 'C:/x'],
    ['file:C:/x', 'C:/x'],
    ['C:\\x\\y', 'C:\\x\\y']
  ] as const) {
    it(`${url} leads to ${paths.join(' or ')}`, () => assert.deepEqual(inputPaths(url), { ok: true, paths }))
  }

  for (const [url, problem] of [
    ['', 'the input URL is not an absolute path'],
    ['file:', 'the input URL is not an absolute path'],
    ['file:a.txt', 'the input URL is not an absolute path'],
    ['data/a.txt', 'the input URL is not an absolute path'],
    ['./a.txt', 'the input URL is not an absolute path'],
    ['http://host/data/a.txt', 'the input URL has another scheme than file'],
    ['s3://bucket/key', 'the input URL has another scheme than file'],
    ['file://host/data/a.txt', 'the input URL names another host'],
    ['file://host', 'the input URL names another host'],
    ['file:/data/a\0.txt', 'the input URL contains a NUL character']
  ] as const) {
    it(`${JSON.stringify(url)} is refused`, () => assert.deepEqual(inputPaths(url), { ok: false, problem }))
  }
})
