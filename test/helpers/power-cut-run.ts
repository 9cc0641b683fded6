import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../component/base/random.ts'
import { PowerCutLoad, type LoadRequests } from './power-cut-load.ts'
import { PowerCutOracle } from './power-cut-oracle.ts'
import { readRecordedCalls, recordingEnvironment, type RecordedCall } from './recorded-calls.ts'
import { RecordedDisk, type DiskState } from './recorded-disk.ts'
import { createSeededRandom } from './seeded-random.ts'
import { startServer } from './server-process.ts'
import { filesBelow } from './store-damage.ts'
import type { OpenedStore, OpenedStream } from './store-opener.ts'
import { listStreams } from './stream-calls.ts'
import { WireClient } from './wire-client.ts'
import { decodeFrame } from './wire-frames.ts'

const OPENER_PATIENCE_MS = 60_000
const BLOCK_BYTES = 64 * 1024

/** Opens stores in a child process, and in a new one when that one died. */
export class StoreOpener {
  #child: ChildProcess | undefined

  open(folder: string): Promise<OpenedStore> {
    const child = (this.#child ??= fork(join(import.meta.dirname, 'store-opener.ts'), {
      execArgv: ['--import', 'tsx']
    }))
    return new Promise((resolve) => {
      const finish = (opened: OpenedStore): void => {
        clearTimeout(timer)
        child.removeAllListeners()
        resolve(opened)
      }
      const fail = (error: string): void => {
        this.close()
        finish({ error })
      }
      const timer = setTimeout(() => fail('the start takes too long'), OPENER_PATIENCE_MS)
      child.once('message', (message) => finish(message as OpenedStore))
      child.once('exit', (code, signal) => fail(`the start ends with ${String(code)} ${String(signal)}`))
      child.send({ folder })
    })
  }

  close(): void {
    this.#child?.removeAllListeners()
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }
}

/** Writes a state below `to`; blocks of zeros are left out, which reads as zeros. */
function writeState(state: DiskState, from: string, to: string): void {
  const zeros = Buffer.alloc(BLOCK_BYTES)
  mkdirSync(to, { mode: 0o700 })
  for (const [path, bytes] of state) {
    const target = to + path.slice(from.length)
    if (bytes === undefined) {
      mkdirSync(target, { mode: 0o700 })
      continue
    }
    const descriptor = openSync(target, 'w', 0o600)
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, at + BLOCK_BYTES)
      if (!block.equals(zeros.subarray(0, block.length))) writeSync(descriptor, block, 0, block.length, at)
    }
    ftruncateSync(descriptor, bytes.length)
    closeSync(descriptor)
  }
}

/** Request ids and numbers of successful answers in what was sent over one connection. */
class AnswerReader {
  #rest = Buffer.alloc(0)
  #hasVersion = false

  read(bytes: Buffer): { readonly requestId: string; readonly sequenceNumber: number | undefined }[] {
    this.#rest = Buffer.concat([this.#rest, bytes])
    if (!this.#hasVersion) this.#rest = this.#rest.subarray(1)
    this.#hasVersion = true
    const answers = []
    while (this.#rest.length >= 5 && this.#rest.length >= 4 + this.#rest.readInt32BE(0)) {
      const end = 4 + this.#rest.readInt32BE(0)
      const { map } = decodeFrame({ operation: this.#rest.readInt8(4), payload: this.#rest.subarray(5, end) })
      this.#rest = this.#rest.subarray(end)
      if (map['status'] !== 0) continue
      answers.push({
        requestId: map['requestId'] as string,
        sequenceNumber: map['sequenceNumber'] as number | undefined
      })
    }
    return answers
  }
}

/** One run of the server, from its start to its end. */
export interface RecordedRun {
  readonly root: string
  readonly calls: readonly RecordedCall[]
  readonly requests: LoadRequests
  /** What was there at the start. */
  readonly start: DiskState
  readonly found: readonly OpenedStream[]
}

export interface RunOptions {
  readonly recorder: string
  readonly random: Random
  readonly name: string
  readonly rounds: number
  readonly start?: Pick<RecordedRun, 'start' | 'found'>
}

/** Runs the built server on a store and records it; afterwards the record must explain every byte on the disk. */
export async function recordRun(options: RunOptions): Promise<RecordedRun> {
  const { recorder, random, name, rounds } = options
  const { start, found } = options.start ?? { start: new Map<string, undefined>(), found: [] }
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-power-'))
  const root = join(folder, 'store')
  const log = join(folder, 'calls')
  const bootId = join(folder, 'boot-id')
  writeFileSync(bootId, `${name}\n`)
  const here = new Map([...start].map(([path, bytes]) => [root + path, bytes]))
  writeState(here, root, root)
  const server = await startServer({
    storeRoot: root,
    environment: { ...recordingEnvironment(recorder, root, log), RECORD_BOOT_ID: bootId }
  })
  try {
    const client = await WireClient.connect({ port: server.port })
    const load = new PowerCutLoad(client, random, name)
    await load.createStreams(await listStreams(client))
    for (let round = 0; round < rounds; round += 1) await load.round()
    client.halfClose()
    // In order: after a SIGKILL the last call may be done and not recorded.
    assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null }, server.output())
    const calls = readRecordedCalls(log)
    const disk = new RecordedDisk(root, here)
    for (const call of calls) disk.apply(call)
    checkRecord(root, disk.whole)
    return { root, calls, requests: load.requests, start: here, found }
  } finally {
    await server.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Files that LMDB maps into memory for writing; their content means nothing after a restart. */
const isLockFile = (path: string): boolean => path.endsWith('-lock')

function checkRecord(root: string, whole: DiskState): void {
  const recorded = [...whole].filter(([, bytes]) => bytes !== undefined).map(([path]) => path)
  const actual = filesBelow(root).map((path) => join(root, path))
  assert.deepEqual(recorded, actual, 'the record explains all files')
  for (const path of actual) {
    const bytes = whole.get(path)
    assert.ok(bytes !== undefined)
    assert.equal(bytes.length, statSync(path).size, `the length of ${path}`)
    if (!isLockFile(path)) assert.ok(bytes.equals(readFileSync(path)), `the record explains ${path}`)
  }
}

export interface CutReport {
  readonly states: number
  /** Of them, those that differ from what the program saw. */
  readonly dirty: number
  /** A state after one of the last cuts, to start the next run from. */
  readonly last: Pick<RecordedRun, 'start' | 'found'> | undefined
}

/**
 * Opens the store after power cuts at `count` random moments of a run and checks each against what clients knew.
 * @throws AssertionError that names moment and seed
 */
export async function cutAndCheck(
  run: RecordedRun,
  count: number,
  seed: number,
  opener: StoreOpener
): Promise<CutReport> {
  const { root, calls, requests, start, found } = run
  const random = createSeededRandom(seed)
  const moments = Array.from({ length: count }, () => Math.floor(random.fraction() * (calls.length + 1)))
  moments.sort((left, right) => left - right)
  const disk = new RecordedDisk(root, start)
  const oracle = new PowerCutOracle(found, requests)
  const connections = new Map<number, AnswerReader>()
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-cut-'))
  const report = { states: 0, dirty: 0, last: undefined as CutReport['last'] }
  let applied = 0
  try {
    for (const [index, moment] of moments.entries()) {
      for (; applied < moment; applied += 1) {
        const call = calls[applied]!
        disk.apply(call)
        // The first three are the outputs of the server.
        if (call.kind !== 'send' || call.descriptor <= 2) continue
        const reader = connections.get(call.descriptor) ?? new AnswerReader()
        connections.set(call.descriptor, reader)
        for (const { requestId, sequenceNumber } of reader.read(call.bytes)) oracle.answered(requestId, sequenceNumber)
      }
      if (disk.isDirty) report.dirty += 1
      const state = disk.afterPowerCut(createSeededRandom(seed + index))
      const store = join(folder, String(index))
      writeState(state, root, store)
      const opened = await opener.open(store)
      try {
        assert.ok(!('error' in opened), 'error' in opened ? opened.error : '')
        oracle.check(opened.streams)
        const relative = new Map([...state].map(([path, bytes]) => [path.slice(root.length), bytes]))
        report.last = { start: relative, found: opened.streams }
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error)
        throw new Error(`a power cut after call ${moment} of ${calls.length}, seed ${seed}: ${text}\nstate: ${store}`, {
          cause: error
        })
      }
      rmSync(store, { recursive: true, force: true })
      report.states += 1
    }
  } finally {
    if (report.states === moments.length) rmSync(folder, { recursive: true, force: true })
  }
  return report
}
