import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ExportReport, StatusReport, StreamReport } from '../../../../component/monitor/report.ts'
import { parseSnapshot } from '../../../../component/monitor/page/parse-snapshot.ts'
import type { ExportState } from '../../../../component/monitor/page/snapshot.ts'

const rate = (value: number): { over10s: number; over1m: number } => ({ over10s: value, over1m: value / 2 })
const rates = { messagesPerSecond: rate(4), bytesPerSecond: rate(400) }

function exportReport(changes: Partial<ExportReport> = {}): ExportReport {
  return {
    identifier: 'cloud',
    kind: 'kinesis',
    destination: 'telemetry',
    priority: null,
    disabled: false,
    activity: 'idle',
    position: 9,
    account: {
      origin: 0,
      exported: 5,
      skipped: 1,
      dropped: { overwritten: 1, expired: 2, reclaimed: 0, evicted: 0, damaged: 0 },
      skippedRanges: [{ first: 3, last: 3, count: 1, reason: 'RecordTooLarge: a record of 2 bytes' }],
      droppedRanges: [],
      replays: 0,
      waiting: 0
    },
    lag: { messages: 0, bytes: 0, seconds: 0 },
    rates,
    exportedMessages: 5,
    exportedBytes: 50,
    lastAttemptMs: null,
    lastError: null,
    failedAttempts: 0,
    nextAttemptMs: null,
    ...changes
  }
}

function report(exports: readonly ExportReport[], changes: Partial<StatusReport> = {}): StatusReport {
  const stream: StreamReport = {
    name: 'sensor',
    definition: {
      persistence: 'file',
      strategyOnFull: 'rejectNewData',
      flushOnWrite: false,
      maxSizeBytes: 1_000,
      segmentSizeBytes: 100,
      timeToLiveMs: null
    },
    oldestSequenceNumber: 2,
    nextSequenceNumber: 9,
    durableSequenceNumber: 9,
    storedMessages: 7,
    storedBytes: 70,
    segments: 1,
    rates,
    appendedBytes: 90,
    removed: { overwritten: 2, expired: 0, reclaimed: 0, evicted: 0 },
    appendProblem: null,
    exports
  }
  return {
    formatVersion: 1,
    timeMs: 5,
    process: {
      version: '2.4.0',
      nodeVersion: 'v20',
      pid: 1,
      uptimeSeconds: 3,
      residentBytes: 4,
      cpuSeconds: 1,
      eventLoopDelaySeconds: { p99: 0, max: 0 },
      connections: 2
    },
    health: { status: 'ok', reasons: [], omittedReasons: 0 },
    streams: [stream],
    unopened: [],
    omitted: { streams: 0, exports: 0 },
    ...changes
  }
}

describe('the answer to /status', () => {
  it('becomes what the page shows', () => {
    const [stream] = parseSnapshot(report([exportReport()]))?.streams ?? []
    assert.equal(stream?.messagesPerSecond, 4)
    const [of] = stream.exports
    assert.deepEqual(
      [of?.exportedMessages, of?.skippedMessages, of?.droppedMessages, of?.waitingSeconds, of?.error],
      [5, 1, 3, undefined, undefined]
    )
  })

  it('gets meaning and remedy of errors', () => {
    const lastError = 'AccessDeniedException: User is not authorized'
    const [of] = parseSnapshot(report([exportReport({ lastError, failedAttempts: 1 })]))?.streams[0]?.exports ?? []
    assert.equal(of?.meaning, 'the role of the device may not write there')
    assert.match(of.remedy ?? '', /kinesis:PutRecords/)
  })

  const waiting = { messages: 1, bytes: 1, seconds: null }
  const states: readonly (readonly [Partial<ExportReport>, ExportState])[] = [
    [{ activity: 'idle' }, 'idle'],
    [{ activity: 'batching', lag: waiting }, 'waiting'],
    [{ activity: 'pausing', lag: waiting }, 'waiting'],
    [{ activity: 'sending', lag: waiting }, 'sending'],
    [{ activity: 'queued', lag: waiting }, 'sending'],
    [{ activity: 'sending', failedAttempts: 2 }, 'failing'],
    [{ activity: 'retrying', failedAttempts: 1 }, 'failing'],
    [{ activity: 'unavailable' }, 'unavailable'],
    [{ activity: 'disabled', disabled: true, failedAttempts: 2 }, 'disabled']
  ]
  for (const [changes, state] of states) {
    it(`makes ${JSON.stringify(changes)} ${state}`, () => {
      assert.equal(parseSnapshot(report([exportReport(changes)]))?.streams[0]?.exports[0]?.state, state)
    })
  }

  it('has complaints only where streams and exports do not tell them', () => {
    const help = { meaning: 'what it is', remedy: 'mend it' }
    const reasons = [
      { code: 'export_failing', severity: 'degraded', text: 'one', ...help, stream: 'sensor', export: 'cloud' },
      { code: 'disk_full', severity: 'failing', text: 'two', ...help },
      { code: 'messages_dropped', severity: 'notice', text: 'four', ...help, stream: 'sensor', export: 'cloud' },
      { code: 'stream_unopened', severity: 'degraded', text: 'three', ...help, stream: 'old' }
    ] as const
    const health = { status: 'failing', reasons, omittedReasons: 0 } as const
    assert.deepEqual(parseSnapshot(report([], { health }))?.complaints, [
      { text: 'two', ...help },
      { text: 'Stream old: three', ...help }
    ])
  })

  it('is nothing in another form', () => {
    for (const json of [undefined, null, 5, 'text', [], {}, { formatVersion: 2, streams: [] }, { formatVersion: 1 }])
      assert.equal(parseSnapshot(json), undefined)
  })
})
