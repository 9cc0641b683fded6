import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { problemsOf } from '../../../../component/monitor/page/problems.ts'
import type { StreamSnapshot } from '../../../../component/monitor/page/snapshot.ts'
import { exportOf, snapshotOf, streamOf } from '../../../helpers/page-state.ts'

const problems = (...streams: StreamSnapshot[]): ReturnType<typeof problemsOf> => problemsOf(snapshotOf(streams))

describe('what needs attention', () => {
  it('is nothing when all is well', () => {
    assert.deepEqual(problems(streamOf({ exports: [exportOf({ state: 'sending', waitingSeconds: 2 })] })), [])
  })

  it('is an export that fails, with cause, remedy and what waits', () => {
    const of = exportOf({
      state: 'failing',
      error: 'AccessDeniedException: not authorized',
      meaning: 'the role of the device may not write there',
      remedy: 'allow `kinesis:PutRecords`',
      failedAttempts: 3,
      waitingMessages: 1_200,
      waitingSeconds: 90
    })
    assert.deepEqual(problems(streamOf({ exports: [of] })), [
      {
        key: 'attempt/sensor/cloud',
        severity: 'problem',
        title: 'Export cloud of sensor fails',
        cause: 'The role of the device may not write there. AccessDeniedException: not authorized.',
        remedy: 'Allow `kinesis:PutRecords`.',
        effect: '1,200 messages wait, the oldest for 1 min 30 s. 3 attempts have failed.',
        stream: 'sensor'
      }
    ])
  })

  it('is an error that nobody knows, too, and one text is as long as a person reads', () => {
    const [problem] = problems(
      streamOf({ exports: [exportOf({ state: 'failing', error: `Odd: ${'x'.repeat(9_000)}` })] })
    )
    assert.match(problem?.remedy ?? '', /docs\/export-failures\.md/)
    assert.equal(problem?.cause.length, 301)
  })

  it('is an export that works and does not keep up', () => {
    const of = exportOf({ state: 'sending', waitingMessages: 5, waitingSeconds: 301 })
    assert.deepEqual(
      problems(streamOf({ exports: [of] })).map(({ key }) => key),
      ['behind/sensor/cloud']
    )
  })

  it('are messages that were skipped or lost, with their numbers', () => {
    const of = exportOf({
      skippedMessages: 3,
      skippedRanges: [{ first: 17, last: 19, count: 3, reason: 'InvalidEntry: the message is not JSON' }],
      droppedMessages: 1,
      droppedRanges: [{ first: 5, last: 5, count: 1, reason: 'expired' }]
    })
    const [skipped, lost] = problems(streamOf({ exports: [of] }))
    assert.match(skipped?.effect ?? '', /17 to 19/)
    assert.equal(
      skipped?.cause,
      'A message is not what the destination can take, and was skipped. InvalidEntry: the message is not JSON.'
    )
    assert.match(skipped.remedy, /^Correct the program/)
    assert.match(lost?.title ?? '', /^1 message of sensor never got to export cloud$/)
    assert.match(lost?.remedy ?? '', /timeToLiveMillis/)
  })

  it('are tasks that have failed for good, with what is to be done at the destination', () => {
    const reason = 'NoSuchBucket: The specified bucket does not exist'
    const of = exportOf({ kind: 's3', skippedMessages: 1, skippedRanges: [{ first: 0, last: 0, count: 1, reason }] })
    assert.match(problems(streamOf({ exports: [of] }))[0]?.remedy ?? '', /^Create the bucket/)
  })

  it('are no messages that somebody wanted to be skipped', () => {
    const reason = 'passed over by a changed startSequenceNumber'
    const of = exportOf({ skippedMessages: 5, skippedRanges: [{ first: 0, last: 4, count: 5, reason }] })
    assert.deepEqual(problems(streamOf({ exports: [of] })), [])
  })

  it('is a stream that soon rejects, and none that overwrites', () => {
    const full = { totalBytes: 950_000 }
    assert.match(problems(streamOf({ ...full, strategyOnFull: 'rejectNewData' }))[0]?.title ?? '', /95 % full/)
    assert.deepEqual(problems(streamOf(full)), [])
  })

  it('comes worst first', () => {
    const skipping = exportOf({ identifier: 'a', skippedMessages: 1 })
    const failing = exportOf({ identifier: 'b', state: 'failing', error: 'TimeoutError: none' })
    assert.deepEqual(
      problemsOf(
        snapshotOf([streamOf({ exports: [skipping, failing] })], {
          complaints: [{ text: 'the disk is full', meaning: 'm', remedy: 'r' }]
        })
      ).map(({ key }) => key),
      ['attempt/sensor/b', 'server/the disk is full', 'skipped/sensor/a']
    )
  })
})
