import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createExportedBelow, type ExportProgress } from '../../../component/export/index.ts'
import type { ExportDefinition } from '../../../component/model/export-definition.ts'
import { definitionOf } from '../../helpers/stream-scene.ts'

const PROGRESS: ExportProgress = {
  next: 0n,
  startSequenceNumber: 0n,
  exportedBytes: 0,
  processedMessages: 0,
  skippedMessages: 0
}
const sitewise = (identifier: string, disabled?: true): ExportDefinition => ({
  kind: 'sitewise',
  identifier,
  ...(disabled === undefined ? {} : { disabled })
})

function openNeeds(last: Readonly<Record<string, bigint>>): ReturnType<typeof createExportedBelow> {
  return createExportedBelow((streamId) =>
    streamId !== 'id'
      ? []
      : Object.entries(last).map(([exportConfigIdentifier, lastExportedSequenceNumber]) => ({
          exportConfigIdentifier,
          lastExportedSequenceNumber,
          exportedBytesFromStream: 0,
          exportedMessagesCount: 0
        }))
  )
}

test('the slowest enabled export counts, and one of which nothing is known', () => {
  const needs = openNeeds({ a: 9n, b: 4n, c: 1n })
  const of = (...exports: ExportDefinition[]): number => needs.of('id', definitionOf('s', { exports }))
  assert.equal(of(sitewise('a')), 10)
  assert.equal(of(sitewise('a'), sitewise('b')), 5)
  assert.equal(of(sitewise('a'), sitewise('c', true)), 10)
  assert.equal(of(sitewise('a'), sitewise('new')), 0)
  assert.equal(needs.of('other', definitionOf('s', { exports: [sitewise('a')] })), 0)
})

test('progress is passed on, and moves are told, but for what removed exports have left', () => {
  const needs = openNeeds({ a: 9n })
  const told: string[] = []
  const watched = needs.watch(
    {
      save: (streamId, identifier) => void told.push(`save ${streamId} ${identifier}`),
      remove: (streamId, identifier) => void told.push(`remove ${streamId} ${identifier}`)
    },
    (streamId) => void told.push(`moved ${streamId}`)
  )
  const below = (): number => needs.of('id', definitionOf('s', { exports: [sitewise('a')] }))
  watched.save('id', 'a', PROGRESS)
  assert.equal(below(), 10)
  watched.save('id', 'gone/7', PROGRESS)
  assert.equal(below(), 0)
  watched.remove('id', 'gone/7')
  assert.equal(below(), 10)
  assert.deepEqual(told, ['save id a', 'moved id', 'save id gone/7', 'remove id gone/7', 'moved id'])
})

test('what an earlier run has left to be told keeps everything', () => {
  const needs = openNeeds({ a: 9n })
  needs.opened('id', ['a', 'gone/7'])
  assert.equal(needs.of('id', definitionOf('s', { exports: [sitewise('a')] })), 0)
})
