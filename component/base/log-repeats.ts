import type { Clock } from './clock.ts'
import type { LogFields, Logger } from './log.ts'

/** The same line about one thing is said at most once in this time (behaviour 6.5, 12.2). */
export const LOG_REPEAT_MS = 60_000
/** Things that are told apart at a time; what goes beyond is summed up as if it were one. */
export const LOG_THINGS_MAX = 100
/** Lines about one thing that are told apart by more than their message. */
export const LOG_LINES_MAX = 10

export interface RepeatOptions {
  /** Fields that say what a line is about, such as `stream`; without any, all lines are about one thing. */
  readonly by?: readonly string[]
  /** Fields whose new values are worth a line at once, such as `reason`. */
  readonly apart?: readonly string[]
}

type Level = 'info' | 'warn' | 'error'

/** A line that is held back, for all of its kind since the last one that was said. */
interface HeldLine {
  readonly level: Level
  readonly message: string
  readonly fields: LogFields | undefined
  readonly count: number
}

/** What was said in the present minute, and what was not; the latest is last. */
interface Thing {
  said: Set<string>
  readonly held: Map<string, HeldLine>
}

/**
 * A logger that does not repeat itself: the first line of a kind comes at once; those that follow within a minute are
 * counted, and the newest is said at its end with `repeats`, the number of events that it stands for. So neither a hostile
 * client nor a destination that comes and goes fills the disk with the log, no event is untold, and the last line about a
 * thing is what holds. TRACE and DEBUG are left alone.
 * @param log where the lines go
 */
export function limitRepeats(log: Logger, clock: Clock, options: RepeatOptions = {}): Logger {
  const { by = [], apart = [] } = options
  const things = new Map<string, Thing>()
  const valuesOf = (names: readonly string[], fields: LogFields | undefined): string =>
    JSON.stringify(names.map((name) => String(fields?.[name])))

  const sayHeld = ({ held }: Thing): void => {
    const lines = [...held.values()]
    held.clear()
    for (const { level, message, fields, count } of lines) log[level](message, { ...fields, repeats: count })
  }

  const endMinute = (name: string, thing: Thing): void => {
    if (thing.held.size === 0) {
      things.delete(name)
      return
    }
    thing.said = new Set(thing.held.keys())
    sayHeld(thing)
    clock.after(LOG_REPEAT_MS, () => endMinute(name, thing))
  }

  const thingOf = (fields: LogFields | undefined): Thing => {
    const own = valuesOf(by, fields)
    const name = things.has(own) || things.size < LOG_THINGS_MAX ? own : ''
    const known = things.get(name)
    if (known !== undefined) return known
    const thing: Thing = { said: new Set(), held: new Map() }
    things.set(name, thing)
    clock.after(LOG_REPEAT_MS, () => endMinute(name, thing))
    return thing
  }

  const limited =
    (level: Level): Logger[Level] =>
    (message, fields) => {
      const thing = thingOf(fields)
      const { said, held } = thing
      const own = `${message} ${valuesOf(apart, fields)}`
      const line = said.has(own) || said.size < LOG_LINES_MAX ? own : message
      if (said.has(line)) {
        const count = (held.get(line)?.count ?? 0) + 1
        held.delete(line)
        held.set(line, { level, message, fields, count })
        return
      }
      // What was held back came before it, and must not be read as if it came after.
      sayHeld(thing)
      said.add(line)
      log[level](message, fields)
    }

  return {
    ...log,
    info: limited('info'),
    warn: limited('warn'),
    error: limited('error'),
    area: (name) => limitRepeats(log.area(name), clock, options)
  }
}
