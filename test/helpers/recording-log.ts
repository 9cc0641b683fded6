import type { LogFields, Logger, LogLevel } from '../../component/base/log.ts'

export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** A logger that keeps what it is told. */
export interface RecordingLog extends Logger {
  readonly entries: LogEntry[]
  /** Messages of one level. */
  at(level: LogLevel): readonly LogEntry[]
}

export function createRecordingLog(): RecordingLog {
  const entries: LogEntry[] = []
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      void entries.push({ level, message, fields })
  const log: RecordingLog = {
    trace: write('TRACE'),
    debug: write('DEBUG'),
    info: write('INFO'),
    warn: write('WARN'),
    error: write('ERROR'),
    area: () => log,
    entries,
    at: (level) => entries.filter((entry) => entry.level === level)
  }
  return log
}
