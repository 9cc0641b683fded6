import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createLogger,
  LOG_FORMATS,
  type LogFields,
  type LogFormat,
  type LogLevel
} from '../../../component/base/log.ts'

const WALL_MS = Date.UTC(2026, 10, 24, 9, 15, 2, 120)
/** Ends a line, drives a terminal, forges an event. */
const HOSTILE =
  'a\n2026-11-24T09:15:02.120Z [ERROR] (server) forged.\r\x1b[2J\u0085\u2028\u2029"},{"level":"ERROR"}\u0000\ud800'

function linesOf(
  format: LogFormat,
  level: LogLevel = 'TRACE'
): { log: ReturnType<typeof createLogger>; text(): string } {
  const lines: string[] = []
  const log = createLogger({ level, format, write: (line) => void lines.push(line), wallMs: () => WALL_MS })
  return { log, text: () => lines.join('') }
}

describe('a line of text', () => {
  it('has time, level, area, message and the fields that are there', () => {
    const { log, text } = linesOf('text')
    log.area('export').warn('Export failed', { stream: 's', next: 7n, absent: undefined })
    assert.equal(text(), '2026-11-24T09:15:02.120Z [WARN] (export) Export failed. {stream=s, next=7}\n')
  })
})

describe('a line of JSON', () => {
  const eventOf = (fields?: LogFields): unknown => {
    const { log, text } = linesOf('json')
    log.area('export').warn('Export failed', fields)
    return JSON.parse(text())
  }
  const event = { time: '2026-11-24T09:15:02.120Z', level: 'WARN', area: 'export', message: 'Export failed' }

  it('is one object with time, level, area, message and fields', () => {
    assert.deepEqual(eventOf(), { ...event, fields: {} })
    assert.deepEqual(eventOf({ stream: 's', next: 7n, ok: true, absent: undefined }), {
      ...event,
      fields: { stream: 's', next: 7, ok: true }
    })
  })

  it('keeps numbers that JSON readers would round as text', () => {
    assert.deepEqual(eventOf({ next: 2n ** 63n - 1n }), { ...event, fields: { next: '9223372036854775807' } })
  })

  it('gives back what it was told, but for the end of long texts', () => {
    const told = eventOf({ name: HOSTILE, long: 'x'.repeat(300) })
    // The half of a pair that has no other half is escaped and comes back as it was.
    assert.deepEqual(told, { ...event, fields: { name: HOSTILE, long: `${'x'.repeat(256)}…` } })
  })
})

for (const format of LOG_FORMATS) {
  describe(`lines as ${format}`, () => {
    it('are one for an event, whatever is in a field, a field name or a message', () => {
      const { log, text } = linesOf(format)
      log.error(HOSTILE, { [HOSTILE]: HOSTILE })
      assert.match(text(), /^[^\p{Cc}\p{Zl}\p{Zp}]+\n$/u)
    })

    it('never have a control character but the last', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
          const { log, text } = linesOf(format)
          log.info(message, { value })
          assert.match(text(), /^[^\p{Cc}\p{Zl}\p{Zp}]+\n$/u)
        })
      )
    })

    it('below the level are left out', () => {
      const { log, text } = linesOf(format, 'WARN')
      log.info('No')
      log.area('store').debug('No')
      log.warn('Yes')
      assert.equal(text().split('\n').length, 2)
    })
  })
}
