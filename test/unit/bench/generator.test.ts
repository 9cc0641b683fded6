import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mergeSamples, shareWork } from '../../bench/generator.ts'
import { appendStreams, type Sample, type Work } from '../../bench/job.ts'
import { frameCountFor } from '../../bench/peers/peer.ts'

const APPENDS: Work = { kind: 'append', connections: 5, inFlight: 64, payloadBytes: 1024, streams: 1 }

function sample(changes: Partial<Sample>): Sample {
  const none = { messages: 0, seconds: 2, serverCpuSeconds: 0, peakMib: 0, generatorCpuSeconds: 0, messagesBeside: 0 }
  return { ...none, latencies: [], ...changes }
}

describe('the load generator', () => {
  it('is one process where server and generator need the cores', () => {
    assert.deepEqual(shareWork(APPENDS, 2), [APPENDS])
    assert.deepEqual(shareWork({ ...APPENDS, connections: 1 }, 8), [{ ...APPENDS, connections: 1 }])
  })

  it('shares the connections between two processes where there are cores for them', () => {
    const connections = shareWork(APPENDS, 4).map((work) => (work.kind === 'append' ? work.connections : 0))
    assert.deepEqual(connections, [3, 2])
  })

  it('adds the messages of its processes and counts the server once', () => {
    const merged = mergeSamples([
      sample({ messages: 100, serverCpuSeconds: 1, peakMib: 50, generatorCpuSeconds: 1.9, latencies: [[3, 1]] }),
      sample({ messages: 50, serverCpuSeconds: 1, peakMib: 60, generatorCpuSeconds: 0.5, latencies: [[3, 2]] })
    ])
    assert.equal(merged.messages, 150)
    assert.equal(merged.serverCpuSeconds, 1)
    assert.equal(merged.peakMib, 60)
    assert.equal(merged.generatorCpuSeconds, 1.9)
    assert.deepEqual(merged.latencies, [
      [3, 1],
      [3, 2]
    ])
  })

  it('encodes a request for each that may be under way, and no more bytes than that needs', () => {
    assert.equal(frameCountFor(64, 100), 256)
    assert.equal(frameCountFor(64, 128 * 1024), 64)
    assert.equal(frameCountFor(4, 1024 * 1024), 4)
  })

  it('names streams with equal lengths', () => {
    const names = appendStreams(1_000)
    assert.equal(new Set(names).size, 1_000)
    assert.equal(new Set(names.map((name) => name.length)).size, 1)
  })
})
