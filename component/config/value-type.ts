/** Decimal notations of numbers in JSON, YAML and Java: the cloud may turn 5242880 into 5242880.0 or 5.24288E6. */
const NUMBER = /^\+?\d{1,20}(\.\d{1,20})?([eE]\+?\d{1,2})?$/

/** What a parameter may be set to. */
export interface ValueType<Value> {
  /** Completes the sentence "it must be ...", for the log and for the document of the settings. */
  readonly allowed: string
  /** @param text without blanks around it; @returns undefined for what is not allowed */
  read(text: string): Value | undefined
}

/** true and false, in any case. */
export const BOOLEAN: ValueType<boolean> = {
  allowed: 'true or false',
  read(text) {
    const lower = text.toLowerCase()
    return lower === 'true' || lower === 'false' ? lower === 'true' : undefined
  }
}

/** Whole numbers from `min` to `max`, in any decimal notation. @param note follows the range in `allowed` */
export function integerBetween(min: number, max: number, note = ''): ValueType<number> {
  return {
    allowed: `a whole number from ${min} to ${max}${note}`,
    read(text) {
      const value = NUMBER.test(text) ? Number(text) : NaN
      return Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined
    }
  }
}

/** One of `choices`, in any case. */
export function oneOf<Choice extends string>(choices: readonly Choice[]): ValueType<Choice> {
  return {
    allowed: `one of ${choices.join(', ')}`,
    read: (text) => choices.find((known) => known.toUpperCase() === text.toUpperCase())
  }
}

/** Any text. */
export const TEXT: ValueType<string> = { allowed: 'any text', read: (text) => text }
