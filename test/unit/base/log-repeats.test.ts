import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LOG_LINES_MAX, LOG_REPEAT_MS, LOG_THINGS_MAX, limitRepeats } from '../../../component/base/log-repeats.ts'
import { createFakeClock } from '../../helpers/fake-clock.ts'
import { createRecordingLog } from '../../helpers/recording-log.ts'

function limitedLog(options: Parameters<typeof limitRepeats>[2]) {
  const [clock, recorded] = [createFakeClock(), createRecordingLog()]
  const told = (): readonly unknown[] => recorded.entries.splice(0).map(({ message, fields }) => [message, fields])
  return { clock, recorded, told, log: limitRepeats(recorded, clock, options) }
}

describe('a log with bounded repeats', () => {
  it('says the first at once, and the others once a minute with their number', () => {
    const { log, clock, told } = limitedLog({})
    log.warn('Refused', { reason: 'a' })
    assert.deepEqual(told(), [['Refused', { reason: 'a' }]])
    for (let second = 0; second < 150; second += 1) {
      clock.advance(1_000)
      log.warn('Refused', { reason: `b${second}` })
    }
    assert.deepEqual(told(), [
      ['Refused', { reason: 'b58', repeats: 59 }],
      ['Refused', { reason: 'b118', repeats: 60 }]
    ])
    // The last ones are told although nothing follows them, and then it is new again.
    clock.advance(LOG_REPEAT_MS)
    assert.deepEqual(told(), [['Refused', { reason: 'b149', repeats: 31 }]])
    clock.advance(LOG_REPEAT_MS)
    assert.equal(clock.pendingTimers, 0)
    log.warn('Refused', { reason: 'c' })
    assert.deepEqual(told(), [['Refused', { reason: 'c' }]])
  })

  it('keeps messages and what they are about apart, and new reasons where they are worth it', () => {
    const { log, recorded } = limitedLog({ by: ['stream', 'export'], apart: ['reason'] })
    log.info('Sent', { stream: 'a', export: 'e', next: 1 })
    log.info('Sent', { stream: 'a', export: 'e', next: 2 })
    log.info('Sent', { stream: 'a', export: 'f' })
    log.info('Sent', { stream: 'b', export: 'e' })
    log.warn('Failed', { stream: 'b', export: 'e', reason: 'x' })
    log.warn('Failed', { stream: 'b', export: 'e', reason: 'y' })
    log.warn('Failed', { stream: 'b', export: 'e', reason: 'x' })
    assert.deepEqual(
      recorded.entries.map(({ level }) => level),
      ['INFO', 'INFO', 'INFO', 'WARN', 'WARN']
    )
  })

  it('never says what is over after what holds', () => {
    const { log, clock, told } = limitedLog({})
    log.warn('Fails')
    log.warn('Fails')
    log.info('Works')
    assert.deepEqual(told(), [
      ['Fails', {}],
      ['Fails', { repeats: 1 }],
      ['Works', {}]
    ])
    for (let time = 0; time < 100; time += 1) {
      log.warn('Fails')
      log.info('Works')
    }
    log.warn('Fails')
    assert.deepEqual(told(), [])
    clock.advance(LOG_REPEAT_MS)
    assert.deepEqual(told(), [
      ['Works', { repeats: 100 }],
      ['Fails', { repeats: 101 }]
    ])
  })

  it('has bounds for things and reasons that are always new, and says how many there were', () => {
    const { log, clock, told } = limitedLog({ by: ['stream'], apart: ['reason'] })
    for (let index = 0; index < 10_000; index += 1) log.info('Created', { stream: `s${index}` })
    assert.equal(told().length, LOG_THINGS_MAX + 1)
    clock.advance(LOG_REPEAT_MS)
    assert.deepEqual(told(), [['Created', { stream: 's9999', repeats: 10_000 - LOG_THINGS_MAX - 1 }]])
    clock.advance(LOG_REPEAT_MS)
    assert.equal(clock.pendingTimers, 0)
    for (let index = 0; index < 1_000; index += 1) log.warn('Failed', { stream: 's', reason: `r${index}` })
    assert.equal(told().length, LOG_LINES_MAX + 1)
  })

  it('leaves what only developers read alone', () => {
    const { log, told } = limitedLog({})
    for (let index = 0; index < 3; index += 1) log.debug('Looked')
    assert.equal(told().length, 3)
  })
})
