import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KIB } from '../../../component/base/limits.ts'
import { createDeadlines, type ConnectionSnapshot } from '../../../component/server/deadlines.ts'

const QUIET: ConnectionSnapshot = {
  nowMs: 0,
  state: 'established',
  isAuthenticating: false,
  frameBytes: undefined,
  frameCount: 0,
  unsentBytes: 0,
  isAnswerMemoryContended: false,
  oldestRequestMs: undefined
}

test('an idle connection is never ended', () => {
  const deadlines = createDeadlines(0)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 30 * 24 * 3_600_000 }), undefined)
})

test('a client that says nothing is closed after ten seconds, but not while the nucleus is asked about it', () => {
  const deadlines = createDeadlines(0)
  const waiting = { ...QUIET, state: 'awaiting Connect' } as const
  assert.equal(deadlines.check({ ...waiting, nowMs: 10_000 }), undefined)
  assert.equal(deadlines.check({ ...waiting, nowMs: 10_001, isAuthenticating: true }), undefined)
  assert.equal(deadlines.check({ ...waiting, nowMs: 10_001 })?.action, 'close')
})

test('a frame may be slow as long as it grows', () => {
  const deadlines = createDeadlines(0)
  for (let nowMs = 0; nowMs <= 300_000; nowMs += 25_000) {
    const frameBytes = (nowMs / 25_000) * 64 * KIB
    assert.equal(deadlines.check({ ...QUIET, nowMs, frameBytes }), undefined)
  }
  const frameBytes = 12 * 64 * KIB + 1
  assert.equal(deadlines.check({ ...QUIET, nowMs: 329_000, frameBytes }), undefined)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 331_000, frameBytes })?.action, 'close')
})

test('the next frame has its own time', () => {
  const deadlines = createDeadlines(0)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 0, frameBytes: 900 }), undefined)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 29_000, frameBytes: 10, frameCount: 1 }), undefined)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 58_000, frameBytes: 10, frameCount: 1 }), undefined)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 59_001, frameBytes: 10, frameCount: 1 })?.action, 'close')
})

test('a JavaScript client, which is nearly always between head and payload of some frame, is not taken for stalled', () => {
  const deadlines = createDeadlines(0)
  for (let second = 0; second < 120; second++) {
    const frame = { frameBytes: 5, frameCount: second * 22 }
    assert.equal(deadlines.check({ ...QUIET, nowMs: second * 1_000, ...frame }), undefined)
  }
})

test('a peer that takes no answers for a minute is given up', () => {
  const deadlines = createDeadlines(0)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 1_000, unsentBytes: 0 }), undefined)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 61_000, unsentBytes: 5 }), undefined)
  deadlines.progressed(61_000)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 121_000, unsentBytes: 5 }), undefined)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 121_001, unsentBytes: 5 })?.action, 'destroy')
})

test('patience ends earlier when others wait for the memory that its answers hold', () => {
  const deadlines = createDeadlines(0)
  const stalled = { ...QUIET, unsentBytes: 5 }
  assert.equal(deadlines.check({ ...stalled, nowMs: 5_001 }), undefined)
  assert.equal(deadlines.check({ ...stalled, nowMs: 5_001, isAnswerMemoryContended: true })?.action, 'destroy')
})

test('an answer later than 55 s is not given, because it would end a Python client', () => {
  const deadlines = createDeadlines(0)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 55_000, oldestRequestMs: 0 }), undefined)
  assert.equal(deadlines.check({ ...QUIET, nowMs: 55_001, oldestRequestMs: 0 })?.action, 'abandon')
})

test('a peer that does not close its side is cut off, but not before it has its answers', () => {
  const deadlines = createDeadlines(0)
  deadlines.closing(1_000)
  const closing = { ...QUIET, state: 'closing' } as const
  assert.equal(deadlines.check({ ...closing, nowMs: 11_000 }), undefined)
  assert.equal(deadlines.check({ ...closing, nowMs: 11_001, oldestRequestMs: 900 }), undefined)
  assert.equal(deadlines.check({ ...closing, nowMs: 11_001, unsentBytes: 3 }), undefined)
  assert.equal(deadlines.check({ ...closing, nowMs: 11_001 })?.action, 'destroy')
})
