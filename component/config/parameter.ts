/** Longest value that is quoted in a warning. */
const QUOTED_CHARS_MAX = 64

/** A parameter that the classic nucleus could not fill in arrives as the recipe's own text (greengrass 2.2). */
const UNRESOLVED = /^\{([\w.-]+:)?configuration:[^}]*\}$/

/** Decimal notations of numbers in JSON, YAML and Java: the cloud may turn 5242880 into 5242880.0 or 5.24288E6. */
const NUMBER = /^\+?\d{1,20}(\.\d{1,20})?([eE]\+?\d{1,2})?$/

/** The process environment, or a record like it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A parameter's text without blanks around it, or undefined when it is not set (behaviour 1.3). */
export function parameterText(environment: Environment, name: string): string | undefined {
  const text = environment[name]?.trim()
  return text === undefined || text === '' || UNRESOLVED.test(text) ? undefined : text
}

/** A reading of one parameter; `allowed` tells an operator what would have been accepted. */
export type Reading<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly allowed: string }

export type ReadText<Value> = (text: string) => Reading<Value>

/** Accepts true and false in any case. */
export const readBoolean: ReadText<boolean> = (text) => {
  const lower = text.toLowerCase()
  if (lower === 'true' || lower === 'false') return { ok: true, value: lower === 'true' }
  return { ok: false, allowed: 'true or false' }
}

/** Accepts whole numbers from `min` to `max`, in any decimal notation. */
export function readInteger(min: number, max: number): ReadText<number> {
  return (text) => {
    const value = NUMBER.test(text) ? Number(text) : NaN
    if (Number.isSafeInteger(value) && value >= min && value <= max) return { ok: true, value }
    return { ok: false, allowed: `a whole number from ${min} to ${max}` }
  }
}

/** Accepts one of `choices`, which are upper case, in any case. */
export function readChoice<Choice extends string>(choices: readonly Choice[]): ReadText<Choice> {
  return (text) => {
    const choice = choices.find((known) => known === text.toUpperCase())
    return choice === undefined ? { ok: false, allowed: `one of ${choices.join(', ')}` } : { ok: true, value: choice }
  }
}

/** A value as a message shows it: in quotes, and cut when it is long. */
export function quoted(text: string): string {
  return `"${text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text}"`
}
