import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyDeclarations } from '../../../component/declare/index.ts'
import type { StreamDefinition } from '../../../component/model/stream-definition.ts'
import type { ExportStatus } from '../../../component/model/stream-info.ts'
import { encodeDefinition } from '../../../component/protocol/index.ts'
import { catalogueKeys } from '../../../component/stream/index.ts'
import { failing } from '../../helpers/faulty-disk.ts'
import { createPromiseGate } from '../../helpers/promise-gate.ts'
import {
  append,
  definitionOf,
  openScene,
  readAllTexts,
  restart,
  streamOf,
  type StreamScene
} from '../../helpers/stream-scene.ts'

interface Wish {
  readonly streams?: readonly StreamDefinition[]
  readonly allowDataLoss?: boolean
  readonly deletions?: readonly string[]
  readonly problems?: readonly string[]
}

/** What the log says of warnings and errors, and of the streams. */
async function declare(scene: StreamScene, wish: Wish, statuses: readonly ExportStatus[] = []): Promise<string[]> {
  const { streams = [], allowDataLoss = false, deletions = [], problems = [] } = wish
  scene.logger.entries.length = 0
  await applyDeclarations(
    { streams: streams.map((definition) => ({ definition, allowDataLoss })), deletions, problems },
    { ...scene, exportStatuses: () => statuses, wallMs: () => scene.clock.wallMs() }
  )
  return scene.logger.entries
    .filter(({ message }) => !/^A stream was (created|updated|deleted)$/.test(message))
    .map(
      ({ level, message, fields }) =>
        `${level} ${message} ${Object.values(fields)
          .filter((value) => value !== undefined)
          .join('|')}`
    )
}

const applied = (created: number, updated: number, unchanged: number, deleted: number, refused: number): string =>
  `INFO The declared streams were applied ${[created, updated, unchanged, deleted, refused].join('|')}`

async function fill(scene: StreamScene, name: string, count: number, payload = 'x'.repeat(500)): Promise<void> {
  for (let index = 0; index < count; index += 1) assert.equal(typeof (await append(scene, name, payload)), 'number')
}

describe('declared streams', () => {
  it('are created, and found unchanged at the next start', async () => {
    const scene = await openScene()
    const wish = { streams: Array.from({ length: 40 }, (_, index) => definitionOf(`s${index}`)) }
    assert.deepEqual(await declare(scene, wish), [applied(40, 0, 0, 0, 0)])
    const next = await restart(scene, 'power cut')
    assert.deepEqual(await declare(next, wish), [applied(0, 0, 40, 0, 0)])
  })

  it('leave the streams of clients alone, and nothing is said without declarations', async () => {
    const scene = await openScene()
    await scene.registry.create(definitionOf('client'))
    assert.deepEqual(await declare(scene, {}), [])
    assert.deepEqual(await declare(scene, { streams: [definitionOf('a')] }), [applied(1, 0, 0, 0, 0)])
    assert.deepEqual(scene.registry.list(), ['a', 'client'])
  })

  it('follow a new declaration', async () => {
    const scene = await openScene()
    await declare(scene, { streams: [definitionOf('a')] })
    const changed = definitionOf('a', { segmentSizeBytes: 4_096 })
    assert.deepEqual(await declare(scene, { streams: [changed] }), [
      'INFO A stream was updated as declared a|streamSegmentSize',
      applied(0, 1, 0, 0, 0)
    ])
    assert.deepEqual(streamOf(await restart(scene, 'power cut'), 'a').definition, changed)
  })

  it('are set back, with a warning, where a client has changed them since', async () => {
    const scene = await openScene()
    const declared = definitionOf('a')
    await declare(scene, { streams: [declared] })
    await scene.registry.update(definitionOf('a', { strategyOnFull: 'overwriteOldestData' }))
    const next = await restart(scene)
    const lines = await declare(next, { streams: [declared] })
    assert.deepEqual(lines, [
      'WARN A declared stream was changed by a client a|strategyOnFull',
      'INFO A stream was updated as declared a|strategyOnFull',
      applied(0, 1, 0, 0, 0)
    ])
    assert.deepEqual(streamOf(next, 'a').definition, declared)
    assert.deepEqual(await declare(next, { streams: [declared] }), [applied(0, 0, 1, 0, 0)])
  })

  it('that a client created before are taken over without a word of drift', async () => {
    const scene = await openScene()
    await scene.registry.create(definitionOf('a'))
    await append(scene, 'a', 'kept')
    const lines = await declare(scene, { streams: [definitionOf('a', { flushOnWrite: true })] })
    assert.deepEqual(lines, ['INFO A stream was updated as declared a|flushOnWrite', applied(0, 1, 0, 0, 0)])
    assert.deepEqual(await readAllTexts(scene, 'a'), ['0:kept'])
  })

  it('stay when they are not declared any more, which is said once', async () => {
    const scene = await openScene()
    await declare(scene, { streams: [definitionOf('a')] })
    assert.deepEqual(await declare(scene, { problems: ['x'] }), ['ERROR A declaration of streams cannot be used x'])
    assert.deepEqual(await declare(scene, {}), ['INFO A stream is not declared any more and stays as it is a'])
    assert.deepEqual(await declare(scene, {}), [])
    assert.deepEqual(scene.registry.list(), ['a'])
  })

  it('are deleted where told, with what they held', async () => {
    const scene = await openScene()
    await scene.registry.create(definitionOf('a'))
    await append(scene, 'a', 'x')
    const bytes = streamOf(scene, 'a').storageStatus().totalBytes
    assert.deepEqual(await declare(scene, { deletions: ['a', 'absent'] }), [
      `INFO A stream was deleted as declared a|1|${bytes}`,
      applied(0, 0, 0, 1, 0)
    ])
    assert.deepEqual((await restart(scene)).registry.list(), [])
  })

  it('that cannot be made do not keep others from being made', async () => {
    const scene = await openScene()
    scene.catalogue.fails = (changes) => changes.some(({ value }) => Buffer.from(value ?? []).includes('bad'))
    const lines = await declare(scene, { streams: [definitionOf('bad'), definitionOf('good')] })
    assert.ok(lines.includes(applied(1, 0, 0, 0, 1)), JSON.stringify(lines))
    assert.ok(lines.some((line) => line.startsWith('WARN A declared stream could not be created bad|')))
    assert.deepEqual(scene.registry.list(), ['good'])
  })

  it('that cannot be remembered are there all the same', async () => {
    const scene = await openScene()
    scene.catalogue.fails = (changes) => changes.some(({ key }) => key.startsWith('declared/'))
    const lines = await declare(scene, { streams: [definitionOf('a')] })
    assert.match(lines[0]!, /^WARN What is declared cannot be remembered /)
    assert.deepEqual((await restart(scene)).registry.list(), ['a'])
  })

  it('that cannot be deleted or updated are reported', async () => {
    const scene = await openScene()
    await scene.registry.create(definitionOf('a'))
    await scene.registry.create(definitionOf('b'))
    scene.catalogue.fails = () => true
    const lines = await declare(scene, { streams: [definitionOf('a', { flushOnWrite: true })], deletions: ['b'] })
    assert.match(
      lines.join('\n'),
      /WARN A stream could not be deleted as declared b\|.*\n.*WARN A declared stream could not be updated a\|flushOnWrite\|/s
    )
    assert.ok(lines.includes(applied(0, 0, 0, 0, 2)))
  })

  it('on a disk that fails keep no server from starting', async () => {
    const scene = await openScene()
    scene.disk.rule = failing({ operation: 'create' }, { code: 'EIO' }, 100)
    assert.ok((await declare(scene, { streams: [definitionOf('a')] })).includes(applied(0, 0, 0, 0, 1)))
  })
})

describe('a declaration that would lose data', () => {
  const status = (last: bigint): ExportStatus => ({
    exportConfigIdentifier: 'e',
    lastExportedSequenceNumber: last,
    exportedBytesFromStream: 0,
    exportedMessagesCount: 0
  })
  const exporting = definitionOf('a', { exports: [{ kind: 'kinesis', identifier: 'e', kinesisStreamName: 'k' }] })

  for (const [what, change] of [
    ['persistence', { persistence: 'memory' }],
    ['maxSize', { maxSizeBytes: 2_048n, segmentSizeBytes: 1_024 }],
    [
      'maxSize with overwriting',
      { maxSizeBytes: 2_048n, segmentSizeBytes: 1_024, strategyOnFull: 'overwriteOldestData' }
    ],
    ['an export', { exports: [] }]
  ] as const) {
    it(`by its ${what} is refused and changes nothing, also after a restart`, async () => {
      const scene = await openScene()
      await declare(scene, { streams: [exporting] })
      await fill(scene, 'a', 20)
      const before = await readAllTexts(scene, 'a')
      const wish = { streams: [{ ...exporting, ...change }] }
      const lines = await declare(scene, wish, [status(4n)])
      assert.match(lines[0]!, /^WARN A declared stream was not updated because data would be lost a\|/)
      assert.deepEqual(lines.slice(1), [applied(0, 0, 0, 0, 1)])
      const next = await restart(scene)
      assert.deepEqual(streamOf(next, 'a').definition, exporting)
      assert.deepEqual(await readAllTexts(next, 'a'), before)
      // The declaration has changed, not the stream: this is no drift.
      assert.deepEqual(await declare(next, wish, [status(4n)]), lines)
    })

    it(`by its ${what} is followed where it is allowed, and a warning says what is lost`, async () => {
      const scene = await openScene()
      await declare(scene, { streams: [exporting] })
      await fill(scene, 'a', 20)
      const wish = { streams: [{ ...exporting, ...change }], allowDataLoss: true }
      const lines = await declare(scene, wish, [status(4n)])
      assert.match(lines[0]!, /^WARN A stream was updated as declared and data was lost a\|/)
      const stream = streamOf(scene, 'a')
      assert.deepEqual(stream.definition, wish.streams[0])
      assert.ok(BigInt(stream.log.totalBytes) <= stream.definition.maxSizeBytes, String(stream.log.totalBytes))
      assert.equal(typeof (await append(scene, 'a', 'more')), 'number')
      assert.deepEqual(await declare(await restart(scene), wish), [applied(0, 0, 1, 0, 0)])
    })
  }

  for (const kind of ['kill', 'power cut'] as const)
    it(`that a ${kind} interrupts is followed at the next start`, async () => {
      const small = definitionOf('a', { maxSizeBytes: 2_048n, segmentSizeBytes: 1_024 })
      const wish = { streams: [small], allowDataLoss: true }
      const told = new Set<string>()
      for (let steps = 0; steps < 40; steps += 1) {
        const scene = await openScene()
        await declare(scene, { streams: [definitionOf('a')] })
        await fill(scene, 'a', 20)
        const { log, id } = streamOf(scene, 'a')
        await log.sync()
        const { promise, open } = createPromiseGate()
        scene.catalogue.fails = (changes) => {
          if (changes.some(({ key }) => key === catalogueKeys.stream(id))) open()
          return false
        }
        void declare(scene, wish)
        await promise
        for (let step = 0; step < steps; step += 1) await Promise.resolve()
        const next = await restart(scene, kind)
        for (const line of await declare(next, wish)) told.add(line.replace(/\d+ bytes/, 'bytes'))
        const stream = streamOf(next, 'a')
        assert.deepEqual(stream.definition, small)
        assert.ok(stream.log.totalBytes <= 2_048, `after ${steps} steps: ${stream.log.totalBytes} bytes`)
        assert.equal(await append(next, 'a', 'more'), stream.log.next - 1)
        assert.deepEqual(await declare(await restart(next), wish), [applied(0, 0, 1, 0, 0)])
      }
      assert.deepEqual([...told].sort(), [
        applied(0, 1, 0, 0, 0),
        'WARN A stream was updated as declared and data was lost a|maxSize|maxSize: bytes are stored'
      ])
    })

  it('that was interrupted and is not allowed any more is refused, and the stream stays as it is', async () => {
    const scene = await openScene()
    const large = definitionOf('a')
    await declare(scene, { streams: [large] })
    await fill(scene, 'a', 20)
    const small = definitionOf('a', { maxSizeBytes: 2_048n, segmentSizeBytes: 1_024 })
    const key = catalogueKeys.stream(streamOf(scene, 'a').id)
    await scene.catalogue.commit([{ key, value: encodeDefinition(small) }])
    const next = await restart(scene)
    assert.match(
      (await declare(next, { streams: [small] }))[0]!,
      /^WARN .* was not updated because data would be lost a\|maxSize\|/
    )
    assert.equal((await readAllTexts(next, 'a')).length, 20)
  })

  it('only by messages in the active segment drops that, too', async () => {
    const scene = await openScene()
    const large = definitionOf('a', { segmentSizeBytes: 32_768 })
    await declare(scene, { streams: [large] })
    await fill(scene, 'a', 10)
    assert.equal(streamOf(scene, 'a').log.sealed.length, 0)
    const small = definitionOf('a', { maxSizeBytes: 2_048n, segmentSizeBytes: 1_024 })
    await declare(scene, { streams: [small], allowDataLoss: true })
    assert.deepEqual(await readAllTexts(scene, 'a'), [])
    assert.equal(await append(scene, 'a', 'x'), 10)
  })
})
