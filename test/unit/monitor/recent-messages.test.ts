import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  createRecentMessages,
  SHOWN_MESSAGES_MAX,
  SHOWN_PAYLOAD_BYTES_MAX,
  type RecentMessage
} from '../../../component/monitor/recent-messages.ts'
import { definitionOf, openScene, streamOf, type StreamScene } from '../../helpers/stream-scene.ts'

const MIB = 1024 * 1024

async function sceneWith(payloads: readonly Buffer[]): Promise<StreamScene> {
  const scene = await openScene()
  const definition = definitionOf('s', { maxSizeBytes: 64n * 1024n * 1024n, segmentSizeBytes: 32 * MIB })
  assert.ok((await scene.registry.create(definition)).ok)
  for (const payload of payloads) await new Promise<void>((done) => streamOf(scene, 's').append(payload, () => done()))
  return scene
}

async function read(scene: StreamScene): Promise<readonly RecentMessage[]> {
  const answer = await createRecentMessages(scene.registry, true)('s')
  assert.ok(answer.kind === 'read', answer.kind)
  return answer.messages
}

describe('the newest messages of a stream', () => {
  it('are shown to nobody unless it is allowed', async () => {
    const scene = await sceneWith([Buffer.from('secret')])
    assert.deepEqual(await createRecentMessages(scene.registry, false)('s'), { kind: 'forbidden' })
    assert.deepEqual(await createRecentMessages(scene.registry, false)('none'), { kind: 'forbidden' })
  })

  it('come newest first, with number, time, size and payload', async () => {
    const scene = await sceneWith([Buffer.from('one'), Buffer.from('two')])
    const ingestTime = scene.clock.wallMs()
    assert.deepEqual(await read(scene), [
      { sequenceNumber: 1, ingestTime, sizeBytes: 3, payload: Buffer.from('two').toString('base64') },
      { sequenceNumber: 0, ingestTime, sizeBytes: 3, payload: Buffer.from('one').toString('base64') }
    ])
  })

  it('are few, and little of each', async () => {
    const messages = await read(await sceneWith(Array.from({ length: 50 }, () => Buffer.alloc(10_000, 'x'))))
    assert.deepEqual(
      messages.map(({ sequenceNumber }) => sequenceNumber),
      Array.from({ length: SHOWN_MESSAGES_MAX }, (_, index) => 49 - index)
    )
    for (const { payload, sizeBytes } of messages) {
      assert.equal(Buffer.from(payload, 'base64').length, SHOWN_PAYLOAD_BYTES_MAX)
      assert.equal(sizeBytes, 10_000)
    }
  })

  it('are the newest, also where all together would be too large', async () => {
    const large = await read(await sceneWith(Array.from({ length: 9 }, () => Buffer.alloc(MIB / 4))))
    assert.deepEqual(
      large.map(({ sequenceNumber }) => sequenceNumber),
      [8, 7, 6]
    )
    const huge = await read(await sceneWith(Array.from({ length: 3 }, () => Buffer.alloc(2 * MIB))))
    assert.deepEqual(
      huge.map(({ sequenceNumber }) => sequenceNumber),
      [2]
    )
  })

  it('are none in an empty stream, and there is no stream of another name', async () => {
    const scene = await sceneWith([])
    assert.deepEqual(await read(scene), [])
    assert.deepEqual(await createRecentMessages(scene.registry, true)('other'), { kind: 'missing' })
  })

  it('are read for one at a time', async () => {
    const scene = await sceneWith([Buffer.from('one')])
    const recent = createRecentMessages(scene.registry, true)
    const [first, second] = await Promise.all([recent('s'), recent('s')])
    assert.deepEqual([first.kind, second.kind], ['read', 'busy'])
    assert.equal((await recent('s')).kind, 'read')
  })

  it('are missing when the stream is deleted meanwhile', async () => {
    const scene = await sceneWith([Buffer.from('one')])
    const { log } = streamOf(scene, 's')
    log.read = async () => {
      await scene.registry.delete('s')
      throw new Error('the log is closed')
    }
    assert.deepEqual(await createRecentMessages(scene.registry, true)('s'), { kind: 'missing' })
  })
})
