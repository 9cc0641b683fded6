import type { CborMap, CborValue } from './cbor-decoder.ts'

/** Characters of stream names, export identifiers and request ids, as the clients' validator prints it (protocol 10.1). */
export const NAME_PATTERN = /^[\w ,.\-_]*$/

/** 2^63 - 1, the largest integer of the protocol. */
export const INT64_MAX = 2n ** 63n - 1n

export interface TextRules {
  readonly charsMin?: number
  /** In UTF-16 units, as the validator of the original counts. */
  readonly charsMax?: number
  readonly pattern?: RegExp
}

/** Rules of stream names, export identifiers and status stream names (protocol 10.1). */
export const NAME_RULES: TextRules = { charsMin: 1, charsMax: 255, pattern: NAME_PATTERN }

/**
 * Reads the fields of one map and collects what is wrong with them, in the words of the validator that the Java client
 * shares with the original server (behaviour 5.2). Null and undefined equal absence; unknown fields are never looked at.
 *
 * A required field that is missing or wrong reads as a stand-in of its type, so that one pass finds all problems: the
 * values may be used only when `problems` is empty in the end.
 */
export class Fields {
  readonly #map: CborMap
  readonly #prefix: string
  /** Problems in the order of the reads. Those of a nested object or list are one entry. */
  readonly problems: string[] = []

  /** @param path where the map stands within the request, '' for the request itself */
  constructor(map: CborMap, path: string) {
    this.#map = map
    this.#prefix = path === '' ? '' : `${path}.`
  }

  /** Adds a problem of a field. */
  report(key: string, problem: string): void {
    this.problems.push(`${this.#prefix}${key}: ${problem}`)
  }

  has(key: string): boolean {
    return this.#value(key) !== undefined
  }

  #value(key: string): CborValue {
    return this.#map.get(key) ?? undefined
  }

  /** Returns the value of a required field, or reports that it is missing. */
  #required(key: string): CborValue {
    const value = this.#value(key)
    if (value === undefined) this.problems.push(`${this.#prefix}${key} is required.`)
    return value
  }

  text(key: string, rules: TextRules): string | undefined {
    return this.#checkText(key, this.#value(key), rules)
  }

  /** A text, or undefined when it is anything else: for fields whose absence the caller judges. */
  lenientText(key: string): string | undefined {
    const value = this.#value(key)
    return typeof value === 'string' ? value : undefined
  }

  requiredText(key: string, rules: TextRules): string {
    return this.#checkText(key, this.#required(key), rules) ?? ''
  }

  #checkText(key: string, value: CborValue, { charsMin, charsMax, pattern }: TextRules): string | undefined {
    if (value === undefined) return undefined
    if (typeof value !== 'string') {
      this.report(key, 'must be a text.')
      return undefined
    }
    if (charsMin !== undefined && value.length < charsMin) {
      this.report(key, `must have at least ${charsMin} characters.`)
    }
    if (charsMax !== undefined && value.length > charsMax) this.report(key, `must have at most ${charsMax} characters.`)
    if (pattern?.test(value) === false) this.report(key, `must match regular expression "${pattern.source}".`)
    return value
  }

  /** A byte string of one byte or more (protocol 5.3). */
  requiredBytes(key: string): Buffer {
    const value = this.#required(key)
    if (value === undefined) return Buffer.alloc(0)
    if (!Buffer.isBuffer(value)) {
      this.report(key, 'must be a byte string.')
      return Buffer.alloc(0)
    }
    if (value.length === 0) this.report(key, 'must have at least 1 elements.')
    return value
  }

  /** @param max at most 2^53 - 1 */
  integer(key: string, min: number, max: number): number | undefined {
    const value = this.#checkInteger(key, min, max)
    return value === undefined ? undefined : Number(value)
  }

  bigInteger(key: string, min: bigint, max: bigint): bigint | undefined {
    const value = this.#checkInteger(key, min, max)
    return value === undefined ? undefined : BigInt(value)
  }

  #checkInteger(key: string, min: number | bigint, max: number | bigint): number | bigint | undefined {
    const raw = this.#value(key)
    if (raw === undefined) return undefined
    const value = integerOf(raw)
    if (value === undefined) {
      this.report(key, 'must be an integer.')
      return undefined
    }
    if (value < min) this.report(key, `must be at least ${String(min)}.`)
    if (value > max) this.report(key, `must be at most ${String(max)}.`)
    return value
  }

  flag(key: string): boolean | undefined {
    const value = this.#value(key)
    if (value === undefined || typeof value === 'boolean') return value
    this.report(key, 'must be a boolean.')
    return undefined
  }

  /** @param numbers the number of each choice on the wire */
  choice<Choice extends string>(key: string, numbers: Readonly<Record<Choice, number>>): Choice | undefined {
    return this.#checkChoice(key, this.#value(key), numbers)
  }

  /** @param standIn what is returned along with a problem */
  requiredChoice<Choice extends string>(
    key: string,
    numbers: Readonly<Record<Choice, number>>,
    standIn: Choice
  ): Choice {
    return this.#checkChoice(key, this.#required(key), numbers) ?? standIn
  }

  #checkChoice<Choice extends string>(
    key: string,
    raw: CborValue,
    numbers: Readonly<Record<Choice, number>>
  ): Choice | undefined {
    if (raw === undefined) return undefined
    const value = integerOf(raw)
    for (const choice in numbers) if (numbers[choice] === value) return choice
    this.report(key, `must be one of ${Object.values(numbers).join(', ')}.`)
    return undefined
  }

  /** Reads a nested map. Its problems become one entry, joined by a space. */
  object<Value>(key: string, read: (fields: Fields) => Value): Value | undefined {
    return this.#checkObject(key, this.#value(key), read)
  }

  requiredObject<Value>(key: string, read: (fields: Fields) => Value): Value | undefined {
    return this.#checkObject(key, this.#required(key), read)
  }

  #checkObject<Value>(key: string, value: CborValue, read: (fields: Fields) => Value): Value | undefined {
    if (value === undefined) return undefined
    if (!(value instanceof Map)) {
      this.report(key, 'must be a map.')
      return undefined
    }
    const fields = new Fields(value, `${this.#prefix}${key}`)
    const object = read(fields)
    if (fields.problems.length > 0) this.problems.push(fields.problems.join(' '))
    return object
  }

  /**
   * Reads a list of maps. The problems of its elements become one entry, joined without a space as the original does.
   * @param countMax a longer list is a problem, and its elements are not looked at
   * @param pathName the name of the list in problems, where it is not the key
   */
  list<Value>(key: string, countMax: number, read: (fields: Fields) => Value, pathName = key): readonly Value[] {
    const list = this.#value(key)
    if (list === undefined) return []
    if (!Array.isArray(list)) {
      this.report(pathName, 'must be a list.')
      return []
    }
    const elements = list as readonly CborValue[]
    if (elements.length > countMax) {
      this.report(pathName, `must have at most ${countMax} elements.`)
      return []
    }
    const values: Value[] = []
    let problems = ''
    elements.forEach((element, index) => {
      const path = `${this.#prefix}${pathName}[${index}]`
      if (!(element instanceof Map)) {
        problems += element === null || element === undefined ? `${path} is required.` : `${path}: must be a map.`
        return
      }
      const fields = new Fields(element, path)
      values.push(read(fields))
      problems += fields.problems.join(' ')
    })
    if (problems !== '') this.problems.push(problems)
    return values
  }

  /** Reads a list of texts. */
  textList(key: string, countMax: number): readonly string[] {
    const list = this.#value(key)
    if (list === undefined) return []
    if (!Array.isArray(list) || !list.every((element) => typeof element === 'string')) {
      this.report(key, 'must be a list of texts.')
      return []
    }
    if (list.length > countMax) this.report(key, `must have at most ${countMax} elements.`)
    return list
  }
}

/**
 * The exact integer in a CBOR value. JavaScript clients send large integers as floats, and 2^63 - 1 as the float 2^63
 * (protocol 2.1). Fractions, NaN, infinities and other types are none.
 */
function integerOf(value: CborValue): number | bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value !== 'number' || !Number.isInteger(value)) return undefined
  if (Number.isSafeInteger(value)) return value + 0
  return value === 2 ** 63 ? INT64_MAX : BigInt(value)
}
