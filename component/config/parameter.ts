/** Longest value that is quoted in a warning. */
const QUOTED_CHARS_MAX = 64

/**
 * What the classic nucleus puts where there is no value: the recipe's own text for a parameter that is missing (greengrass
 * 2.2), and a word for one that a deployment sets to null.
 */
const UNRESOLVED = /^(\{([\w.-]+:)?configuration:[^}]*\}|null)$/

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
