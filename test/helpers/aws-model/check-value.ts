import { constraintOf, type Constraint } from './constraints.ts'
import type { Model, Shape } from './model.ts'

/** A rule that a request breaks. */
export interface Violation {
  /** `form`: it cannot be read as what it should be; `constraint`: a value is not allowed. */
  readonly kind: 'form' | 'constraint'
  readonly text: string
}

export interface CheckContext {
  readonly model: Model
  /** Members that the model does not know, but a newer service might; by path. */
  readonly isAllowed: (path: string) => boolean
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const DOUBLE_TEXTS = new Set(['NaN', 'Infinity', '-Infinity'])
const INTEGER_MAX = 2 ** 31 - 1

const form = (path: string, text: string): Violation => ({ kind: 'form', text: `${path} ${text}` })

/** Compares a value of a JSON body with its shape. @param path of the value, for constraints and people */
export function checkValue(context: CheckContext, reference: Shape, value: unknown, path: string): Violation[] {
  const shape = context.model.resolve(reference)
  switch (shape.type ?? 'string') {
    case 'structure':
      return checkStructure(context, shape, value, path)
    case 'list':
      return checkList(context, shape, value, path)
    case 'map':
      return checkMap(context, shape, value, path)
    case 'blob':
      if (typeof value !== 'string' || value.length % 4 !== 0 || !BASE64.test(value))
        return [form(path, 'is not base64')]
      return checkConstraint(context, path, Buffer.from(value, 'base64').length)
    case 'string':
      return typeof value === 'string' ? checkConstraint(context, path, value) : [form(path, 'is not a text')]
    case 'integer':
    case 'long':
      return isWhole(value, shape.type) ? checkConstraint(context, path, value) : [form(path, 'is not a whole number')]
    case 'float':
    case 'double':
      return typeof value === 'number' || (typeof value === 'string' && DOUBLE_TEXTS.has(value))
        ? []
        : [form(path, 'is not a number')]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [form(path, 'is not a boolean')]
    case 'timestamp':
      return typeof value === 'number' && Number.isFinite(value) ? [] : [form(path, 'is not a time')]
  }
}

const isWhole = (value: unknown, type: Shape['type']): value is number =>
  Number.isInteger(value) && (type === 'long' || Math.abs(value as number) <= INTEGER_MAX)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function checkStructure(context: CheckContext, shape: Shape, value: unknown, path: string): Violation[] {
  if (!isObject(value)) return [form(path, 'is not an object')]
  const { members = {}, required = [] } = shape
  const missing = required.filter((name) => value[name] === undefined || value[name] === null)
  const found = Object.entries(value).flatMap(([name, each]) => {
    const member = members[name]
    const memberPath = `${path}.${name}`
    if (member === undefined) return context.isAllowed(memberPath) ? [] : [form(memberPath, 'is unknown')]
    return each === null ? [] : checkValue(context, member, each, memberPath)
  })
  return [...missing.map((name): Violation => ({ kind: 'constraint', text: `${path}.${name} is missing` })), ...found]
}

function checkList(context: CheckContext, shape: Shape, value: unknown, path: string): Violation[] {
  if (!Array.isArray(value)) return [form(path, 'is not a list')]
  const { member } = shape
  if (member === undefined) throw new Error(`the list ${path} has no member in the model`)
  const found = (value as unknown[]).flatMap((each) => checkValue(context, member, each, `${path}[]`))
  return [...checkConstraint(context, path, value.length), ...found]
}

function checkMap(context: CheckContext, shape: Shape, value: unknown, path: string): Violation[] {
  if (!isObject(value)) return [form(path, 'is not an object')]
  const { value: member } = shape
  if (member === undefined) throw new Error(`the map ${path} has no value in the model`)
  return Object.values(value).flatMap((each) => checkValue(context, member, each, `${path}{}`))
}

/** @param value a text, whose characters count, or a number */
export function checkConstraint({ model }: CheckContext, path: string, value: string | number): Violation[] {
  const constraint: Constraint = constraintOf(model.service, path) ?? {}
  const { min = -Infinity, max = Infinity, pattern, oneOf } = constraint
  const size = typeof value === 'number' ? value : Array.from(value).length
  const text = String(value)
  const problems = [
    ...(size < min ? [`must be at least ${min}, but is ${size}`] : []),
    ...(size > max ? [`must be at most ${max}, but is ${size}`] : []),
    ...(pattern !== undefined && !pattern.test(text) ? [`must satisfy ${pattern.source}`] : []),
    ...(oneOf !== undefined && !oneOf.includes(text) ? [`must be one of ${oneOf.join(', ')}`] : [])
  ]
  return problems.map((problem) => ({ kind: 'constraint', text: `${path} ${problem}` }))
}
