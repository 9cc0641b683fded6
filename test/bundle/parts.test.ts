import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { compileFunction } from 'node:vm'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { buildPrelude } from '../../scripts/bundle.ts'
import { memoryOf } from '../helpers/process-memory.ts'
import { BUNDLE, startServer } from '../helpers/server-process.ts'

interface Prelude {
  sharePart(name: string, load: () => object): void
  loadPart(name: string, packed: string): Readonly<Record<string, () => unknown>>
}

/** The prelude as it stands in a bundle at this path. */
async function preludeOf(path: string): Promise<Prelude> {
  const code = `${await buildPrelude()}\nreturn streamManagerPrelude`
  const evaluate = compileFunction(code, ['require', '__filename', '__dirname']) as (...args: unknown[]) => Prelude
  return evaluate(createRequire(import.meta.url), path, dirname(path))
}

/** Source of each part of the bundle, by its name. */
function unpackAll(): ReadonlyMap<string, string> {
  const packed = readFileSync(BUNDLE, 'utf8').matchAll(/loadPart\("([a-z-]+)","([A-Za-z0-9+/=]+)"\)/g)
  return new Map(
    [...packed].map(([, name = '', part = '']) => [name, brotliDecompressSync(Buffer.from(part, 'base64')).toString()])
  )
}

const pack = (source: string): string => brotliCompressSync(Buffer.from(source)).toString('base64')

describe('the parts of the bundle', () => {
  it('are CommonJS modules, whose stack traces name bundle and part', async () => {
    const { loadPart } = await preludeOf('/opt/bundle.cjs')
    const source = `
      const { sep } = require('node:path')
      exports.separator = () => sep
      exports.fail = () => { throw new Error('ä') } // the end`
    const part = loadPart('part', pack(source))
    assert.equal(part['separator']?.(), '/')
    assert.throws(
      () => part['fail']?.(),
      (error: Error) => error.message === 'ä' && error.stack?.includes('(/opt/bundle.cjs#part:4:') === true
    )
  })

  it('are strict code, as the rest is', () => {
    const parts = unpackAll()
    assert.deepEqual([...parts.keys()].sort(), ['cli', 'exporter', 'iot-sdk', 'monitor', 'yaml'])
    for (const source of parts.values()) assert.match(source, /^"use strict";/)
  })

  it('use each other, so that no package is there twice', async () => {
    const { loadPart, sharePart } = await preludeOf('/opt/bundle.cjs')
    sharePart('answers', () => ({ answer: 42 }))
    const user = loadPart('user', pack("exports.ask = () => streamManagerPrelude.sharedPart('answers').answer"))
    assert.equal(user['ask']?.(), 42)
    const stranger = loadPart('stranger', pack("exports.ask = () => streamManagerPrelude.sharedPart('nobody')"))
    assert.throws(() => stranger['ask']?.(), /the part nobody is not shared/)
    const holders = [...unpackAll()].filter(([, source]) => source.includes('YAMLParseError')).map(([name]) => name)
    assert.deepEqual(holders, ['yaml'])
  })

  it('are not there in clear, where Node.js would read them at every start', () => {
    const text = readFileSync(BUNDLE, 'utf8')
    for (const word of ['PutRecords', 'UploadPartCommand', 'BatchPutAssetPropertyValue', 'eventstream_rpc'])
      assert.ok(!text.includes(word), word)
  })

  it('leave an idle server below 64 MiB of resident memory', async (t) => {
    const server = await startServer()
    t.after(() => server.dispose())
    const { residentMiB } = memoryOf(server.pid)
    assert.ok(residentMiB < 64, `${residentMiB} MiB`)
  })
})
