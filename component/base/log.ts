/** Levels of LOG_LEVEL, most talkative first. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Forms of a line: for people, or for programs that collect logs. */
export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

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

const cutText = (text: string): string => (text.length > FIELD_CHARS_MAX ? `${text.slice(0, FIELD_CHARS_MAX)}…` : text)

/** Client text may not forge lines or drive the terminal: control characters are escaped. */
const escapeControls = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** What an event consists of, before it becomes a line. */
interface LogEvent {
  readonly wallMs: number
  readonly level: LogLevel
  readonly area: string
  readonly message: string
  readonly fields: LogFields | undefined
}

const presentFields = (fields: LogFields | undefined): [string, string | number | bigint | boolean][] =>
  Object.entries(fields ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))

function textLine({ wallMs, level, area, message, fields }: LogEvent): string {
  const parts = presentFields(fields).map(([key, value]) => escapeControls(`${key}=${cutText(String(value))}`))
  const shown = parts.length === 0 ? '' : ` {${parts.join(', ')}}`
  return `${new Date(wallMs).toISOString()} [${level}] (${area}) ${escapeControls(message)}.${shown}\n`
}

/** Numbers stay numbers where every JSON reader keeps them exact. */
function jsonValue(value: string | number | bigint | boolean): string | number | boolean {
  if (typeof value === 'string') return cutText(value)
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
}

function jsonLine({ wallMs, level, area, message, fields }: LogEvent): string {
  const shown = Object.fromEntries(presentFields(fields).map(([key, value]) => [key, jsonValue(value)]))
  const object = { time: new Date(wallMs).toISOString(), level, area, message, fields: shown }
  // JSON leaves some characters alone that end a line or drive a terminal; escaped they mean the same.
  return `${escapeControls(JSON.stringify(object))}\n`
}

const LINE_OF = { text: textLine, json: jsonLine } as const satisfies Record<LogFormat, (event: LogEvent) => string>

/** What a logger is made of. */
export interface LoggerOptions {
  /** Events below it are left out. */
  readonly level: LogLevel
  readonly format: LogFormat
  /** Receives each line with its newline. */
  readonly write: (line: string) => void
  /** The time of a line, milliseconds since the epoch. */
  readonly wallMs: () => number
}

/**
 * A logger that writes one line for one event: as text `<ISO time> [LEVEL] (area) message. {key=value, …}`, or as a JSON
 * object with time, level, area, message and fields. Texts in fields are cut to 256 characters, and nothing in them ends
 * the line.
 */
export function createLogger(options: LoggerOptions, areaName = 'server'): Logger {
  const { write, wallMs } = options
  const threshold = LOG_LEVELS.indexOf(options.level)
  const lineOf = LINE_OF[options.format]
  const at = (level: LogLevel) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return () => undefined
    return (message: string, fields?: LogFields) =>
      write(lineOf({ wallMs: wallMs(), level, area: areaName, message, fields }))
  }
  return {
    trace: at('TRACE'),
    debug: at('DEBUG'),
    info: at('INFO'),
    warn: at('WARN'),
    error: at('ERROR'),
    area: (name) => createLogger(options, name)
  }
}
