import assert from 'node:assert/strict'
import { checkHead } from '../../../component/store/catalogue/head-check.ts'
import { decodeRecord, encodeRecord } from '../../../component/store/catalogue/record-codec.ts'
import { decodeSnapshot, encodeSnapshot } from '../../../component/store/catalogue/snapshot-codec.ts'
import {
  decodeState,
  decodeSummary,
  encodeState,
  encodeSummary,
  parseCatalogueKey
} from '../../../component/stream/catalogue-records.ts'
import { decodeProgress, encodeProgress } from '../../../component/export/progress-codec.ts'
import { decodeDefinition } from '../../../component/protocol/index.ts'
import { decodeTaskState, encodeTaskState } from '../../../component/sinks/s3/task-state.ts'
import { mutate, pick } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'

const STATE = {
  oldest: 3,
  next: 9,
  durable: { segmentBase: 3, offset: 4_711, next: 9, lastIngestMs: 1_700_000_000_000 }
}
const SUMMARY = { base: 3, next: 9, bytes: 1_234, lastIngestMs: 1_700_000_000_000 }
const PROGRESS = {
  next: 12n,
  startSequenceNumber: 0n,
  lastExportTimeMs: 1_700_000_000_000,
  exportedBytes: 55,
  processedMessages: 12,
  skippedMessages: 1
}
const TASK_STATE = {
  bucket: 'bucket',
  key: 'a/b',
  file: { path: '/tmp/a', inode: '12', bytes: 100, modifiedNs: '1700000000000000000' },
  restarts: 1,
  multipart: { id: 'upload', partBytes: 5_242_880, partsDone: 3, crc: 17 }
}

const ENTRIES: readonly (readonly [string, Buffer])[] = [
  ['stream/a1', Buffer.from('definition')],
  ['state/a1', encodeState(STATE)],
  ['segment/a1/3', encodeSummary(SUMMARY)],
  ['export/a1/e', encodeProgress(PROGRESS)]
]
const SNAPSHOT = Buffer.concat([...encodeSnapshot(ENTRIES)])
const RECORD_KEY = 'state/a1'
const RECORD = encodeRecord(RECORD_KEY, encodeState(STATE))

const SAMPLES = [
  SNAPSHOT,
  RECORD,
  encodeState(STATE),
  encodeSummary(SUMMARY),
  encodeProgress(PROGRESS),
  encodeProgress({ ...PROGRESS, task: JSON.stringify(TASK_STATE) }),
  Buffer.from(JSON.stringify(TASK_STATE))
]
const TOKENS = [
  'null',
  '-1',
  '1e400',
  '9007199254740993',
  '[]',
  '{}',
  '"',
  '__proto__',
  '0.5',
  '',
  '18446744073709551616'
]
const MIXED_TOKENS = [...TOKENS.map((text) => Buffer.from(text)), Buffer.alloc(4), Buffer.from('ffffffff', 'hex')]

/** What was decoded must come back when it is encoded again: nothing half-understood is taken. */
function checkRoundTrip<Value>(value: Value | undefined, again: (value: Value) => Value | undefined): void {
  if (value !== undefined) assert.deepEqual(again(value), value)
}

/** Everything that is kept in the catalogue, with changed bytes. */
export const catalogue: FuzzTarget = {
  name: 'catalogue',
  inputCount: 40_000,
  generate: (random) => mutate(random, pick(random, SAMPLES), { others: SAMPLES, tokens: MIXED_TOKENS }),
  run(input) {
    const snapshot = decodeSnapshot(input)
    // A checksum of 32 bits: by chance alone no damage is missed here.
    if (snapshot.kind === 'entries') assert.deepEqual([...snapshot.entries], ENTRIES)
    const record = decodeRecord(RECORD_KEY, input)
    if (record !== undefined) assert.deepEqual(record, encodeState(STATE))
    checkRoundTrip(decodeState(input), (state) => decodeState(encodeState(state)))
    checkRoundTrip(decodeSummary(input), (summary) => decodeSummary(encodeSummary(summary)))
    checkRoundTrip(decodeProgress(input), (progress) => decodeProgress(encodeProgress(progress)))
    checkRoundTrip(decodeTaskState(input.toString()), (state) => decodeTaskState(encodeTaskState(state)))
    decodeDefinition(input)
    parseCatalogueKey(input.toString('latin1'))
    for (const word of [4, 8] as const) {
      const head = checkHead(input, input.length, word)
      if (head.ok) assert.ok(head.head.usedBytes <= input.length && head.head.liveBytes <= head.head.usedBytes)
    }
  }
}
