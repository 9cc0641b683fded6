/** Longest value that is quoted in a warning. */
const QUOTED_CHARS_MAX = 64

/** A parameter that the classic nucleus could not fill in arrives as the recipe's own text (greengrass 2.2). */
const UNRESOLVED = /^\{([\w.-]+:)?configuration:[^}]*\}$/

/** The process environment, or a record like it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A parameter's text without blanks around it, or undefined when it is not set (behaviour 1.3). */
export function parameterText(environment: Environment, name: string): string | undefined {
  const text = environment[name]?.trim()
  return text === undefined || text === '' || UNRESOLVED.test(text) ? undefined : text
}

/** A value as a message shows it: in quotes, and cut when it is long. */
export function quoted(text: string): string {
  return `"${text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text}"`
}
