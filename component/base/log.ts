/** Levels of LOG_LEVEL, most talkative first. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>

/** Writes one line per event. Messages are sentences without a final dot; variable parts go into the fields. */
export interface Logger {
  trace(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same logger for another area of the program. */
  area(name: string): Logger
}

/** Longest text of one field; client text beyond it is cut. */
const FIELD_CHARS_MAX = 256

/** Client text may not forge lines or drive the terminal: control characters are escaped. */
function escapeText(text: string): string {
  const cut = text.length > FIELD_CHARS_MAX ? `${text.slice(0, FIELD_CHARS_MAX)}…` : text
  return cut.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function formatFields(fields: LogFields | undefined): string {
  const parts = Object.entries(fields ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${escapeText(String(value))}`)
  return parts.length === 0 ? '' : ` {${parts.join(', ')}}`
}

/**
 * A logger that writes `<ISO time> [LEVEL] (area) message. {key=value, …}` lines.
 * @param write receives each line with its newline
 * @param wallMs the time of a line, milliseconds since the epoch
 */
export function createLogger(
  level: LogLevel,
  write: (line: string) => void,
  wallMs: () => number,
  areaName = 'server'
): Logger {
  const threshold = LOG_LEVELS.indexOf(level)
  const at = (lineLevel: LogLevel) => {
    if (LOG_LEVELS.indexOf(lineLevel) < threshold) return () => undefined
    return (message: string, fields?: LogFields) => {
      write(`${new Date(wallMs()).toISOString()} [${lineLevel}] (${areaName}) ${message}.${formatFields(fields)}\n`)
    }
  }
  return {
    trace: at('TRACE'),
    debug: at('DEBUG'),
    info: at('INFO'),
    warn: at('WARN'),
    error: at('ERROR'),
    area: (name) => createLogger(level, write, wallMs, name)
  }
}
