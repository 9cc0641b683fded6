import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import { encodeStatus, isTold, type StatusContext } from '../../../component/export/status-message.ts'
import type { TaskEvent } from '../../../component/export/task.ts'
import { STATUS_LEVELS } from '../../../component/model/export-definition.ts'

const { StatusMessage } = createRequire(import.meta.url)('aws-greengrass-core-sdk/stream-manager/data') as {
  readonly StatusMessage: { fromMap(map: unknown): { asMap(): unknown } }
}

const CONTEXT: StatusContext = {
  task: { inputUrl: 'file:/x', bucket: 'bkt', key: 'k', userMetadata: undefined },
  exportIdentifier: 'e',
  streamName: 's',
  sequenceNumber: 0
}

describe('a status message', () => {
  it('is the JSON of the original', () => {
    const event: TaskEvent = { level: 'info', status: 'inProgress', message: 'm' }
    assert.equal(
      encodeStatus(event, CONTEXT, 1).toString(),
      '{"eventType":0,"statusLevel":2,"status":2,"statusContext":{"s3ExportTaskDefinition":{"inputUrl":"file:/x","bucket":"bkt","key":"k"},"exportIdentifier":"e","streamName":"s","sequenceNumber":0},"message":"m","timestampEpochMs":1}'
    )
  })

  it('is read by the official classes, whatever it tells', () => {
    const statuses = ['success', 'failure', 'inProgress', 'warning', 'canceled'] as const
    for (const [number, status] of statuses.entries()) {
      for (const [level, name] of STATUS_LEVELS.entries()) {
        const event: TaskEvent = { level: name, status, message: '"é\n', resolvedKey: 'r' }
        const task = { ...CONTEXT.task, userMetadata: new Map([['a', 'b']]) }
        const json = encodeStatus(event, { ...CONTEXT, task, sequenceNumber: 2 ** 40 }, 1_700_000_000_123).toString()
        assert.deepEqual(StatusMessage.fromMap(JSON.parse(json)).asMap(), {
          eventType: 0,
          statusLevel: level,
          status: number,
          statusContext: {
            s3ExportTaskDefinition: { inputUrl: 'file:/x', bucket: 'bkt', key: 'k', userMetadata: { a: 'b' } },
            exportIdentifier: 'e',
            streamName: 's',
            sequenceNumber: 2 ** 40
          },
          message: '"é\n',
          timestampEpochMs: 1_700_000_000_123
        })
      }
    }
  })

  it('of a task that could not be read is read as well', () => {
    const task = { inputUrl: '', bucket: '', key: '', userMetadata: undefined }
    const event: TaskEvent = { level: 'error', status: 'failure', message: 'm' }
    const json = encodeStatus(event, { ...CONTEXT, task }, 1).toString()
    assert.doesNotThrow(() => StatusMessage.fromMap(JSON.parse(json)))
  })

  it('is told up to the level that was asked for, INFO by default', () => {
    const told = (level?: (typeof STATUS_LEVELS)[number]): readonly string[] =>
      STATUS_LEVELS.filter((name) => isTold({ level: name, status: 'inProgress', message: '' }, level))
    assert.deepEqual(told(), ['error', 'warn', 'info'])
    assert.deepEqual(told('error'), ['error'])
    assert.deepEqual(told('debug'), ['error', 'warn', 'info', 'debug'])
    assert.deepEqual(told('trace'), STATUS_LEVELS)
  })
})
