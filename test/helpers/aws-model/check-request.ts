import type { ReceivedRequest } from '../scripted-server.ts'
import { checkConstraint, checkValue, type CheckContext, type Violation } from './check-value.ts'
import type { Model, Operation, Shape } from './model.ts'
import { parseXml, type XmlElement } from './xml.ts'

/** What a request was meant to be, and whether it is. */
export interface CheckedRequest {
  /** Undefined when it is none of the operations of the model. */
  readonly operation: string | undefined
  readonly violations: readonly Violation[]
  /** The body, read; undefined when it is not JSON. */
  readonly body: unknown
}

const NO_EXTRAS: CheckContext['isAllowed'] = () => false
/** Headers with the prefix of AWS that belong to every request: signature, client, checksums of the transfer. */
const COMMON_AMZ_HEADERS = /^x-amz-(?:date|content-sha256|security-token|user-agent|decoded-content-length|trailer)$/
/** Tells people which operation it is; the services do not look at it. */
const COMMON_QUERY = 'x-id'

/**
 * Compares a request with the model of its service: method, path, query, headers and body.
 * @param isAllowed members of the body that may be there though the model does not know them
 */
export function checkRequest(model: Model, request: ReceivedRequest, isAllowed = NO_EXTRAS): CheckedRequest {
  const context: CheckContext = { model, isAllowed }
  return model.protocol === 'json' ? checkJson(context, request) : checkRest(context, request)
}

const form = (text: string): Violation => ({ kind: 'form', text })

function parseJson(body: Buffer): { readonly value: unknown; readonly violations: readonly Violation[] } {
  try {
    return { value: JSON.parse(body.toString('utf8')), violations: [] }
  } catch {
    return { value: undefined, violations: [form('the body is not JSON')] }
  }
}

/** The operation is named by a header (AWS JSON 1.1): https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
function checkJson(context: CheckContext, { method, url, headers, body }: ReceivedRequest): CheckedRequest {
  const { targetPrefix, operations } = context.model
  const operation = operations.find(({ name }) => headers['x-amz-target'] === `${targetPrefix}.${name}`)
  const { value, violations } = parseJson(body)
  const rules: Record<string, boolean> = {
    'the method is POST': method === 'POST',
    'the path is /': url === '/',
    'the content is JSON 1.1': headers['content-type'] === 'application/x-amz-json-1.1',
    'the length is announced': Number(headers['content-length']) === body.length,
    'the target is an operation': operation !== undefined
  }
  return {
    operation: operation?.name,
    body: value,
    violations: [
      ...broken(rules),
      ...violations,
      ...(operation === undefined || violations.length > 0
        ? []
        : checkValue(context, operation.input, value, operation.name))
    ]
  }
}

function broken(rules: Readonly<Record<string, boolean>>): Violation[] {
  return Object.entries(rules).flatMap(([rule, isKept]) => (isKept ? [] : [form(`it is not so that ${rule}`)]))
}

/** A request whose place says what it is: https://smithy.io/2.0/spec/http-bindings.html */
function checkRest(context: CheckContext, request: ReceivedRequest): CheckedRequest {
  const [path = '', query = ''] = request.url.split('?')
  const parameters = new Map(new URLSearchParams(query))
  parameters.delete(COMMON_QUERY)
  const found = context.model.operations
    .filter((operation) => operation.method === request.method && matchPath(operation.path, path) !== undefined)
    .filter((operation) => isAskedFor(context.model, operation, parameters))
  const [operation] = found
  if (operation === undefined) {
    return { operation: undefined, body: undefined, violations: [form('it is not so that the place is an operation')] }
  }
  const labels = matchPath(operation.path, path) ?? new Map<string, string>()
  const { body, violations } = checkBody(context, operation, request)
  return {
    operation: operation.name,
    body,
    violations: [...checkBindings(context, operation, request, labels, parameters), ...violations]
  }
}

/** @returns the labels of a template like `/{Bucket}/{Key+}`; undefined when the path is another one */
function matchPath(template: string, path: string): ReadonlyMap<string, string> | undefined {
  const names = [...template.matchAll(/\{(\w+)\+?\}/g)].map(([, name = '']) => name)
  const pattern = template.replace(/\{\w+\+\}/g, '(.+)').replace(/\{\w+\}/g, '([^/]+)')
  const match = new RegExp(`^${pattern}$`).exec(path)
  if (match === null) return undefined
  return new Map(names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')]))
}

const membersOf = (model: Model, operation: Operation): [string, Shape][] =>
  Object.entries(model.resolve(operation.input).members ?? {})

/** An operation is told from others at the same place by the parameters that it must and may have. */
function isAskedFor(model: Model, operation: Operation, parameters: ReadonlyMap<string, string>): boolean {
  const { required = [] } = model.resolve(operation.input)
  const possible = membersOf(model, operation).filter(([, { location }]) => location === 'querystring')
  const nameOf = ([name, { locationName }]: [string, Shape]): string => locationName ?? name
  const needed = possible.filter(([name]) => required.includes(name)).map(nameOf)
  const known = new Set([...operation.flags, ...possible.map(nameOf)])
  return (
    [...operation.flags, ...needed].every((name) => parameters.has(name)) &&
    [...parameters.keys()].every((name) => known.has(name))
  )
}

/** Checks labels, parameters and headers. */
function checkBindings(
  context: CheckContext,
  operation: Operation,
  { headers }: ReceivedRequest,
  labels: ReadonlyMap<string, string>,
  parameters: ReadonlyMap<string, string>
): Violation[] {
  const { required = [] } = context.model.resolve(operation.input)
  const members = membersOf(context.model, operation)
  const found = members.flatMap(([name, member]): Violation[] => {
    const key = member.locationName ?? name
    const value =
      member.location === 'uri'
        ? labels.get(key)
        : member.location === 'querystring'
          ? parameters.get(key)
          : member.location === 'header'
            ? headers[key.toLowerCase()]
            : undefined
    const path = `${operation.name}.${name}`
    if (member.location === undefined || member.location === 'headers') return []
    if (value === undefined) return required.includes(name) ? [{ kind: 'constraint', text: `${path} is missing` }] : []
    return checkText(context, member, String(value), path)
  })
  const known = new Set(members.map(([name, { locationName }]) => (locationName ?? name).toLowerCase()))
  const prefixes = members.flatMap(([, { location, locationName = '' }]) =>
    location === 'headers' ? [locationName] : []
  )
  const unknown = Object.keys(headers).filter(
    (name) =>
      name.startsWith('x-amz-') &&
      !known.has(name) &&
      !COMMON_AMZ_HEADERS.test(name) &&
      !prefixes.some((prefix) => name.startsWith(prefix))
  )
  return [...found, ...unknown.map((name) => form(`the header ${name} is unknown`))]
}

/** Checks a value that is written as a text. */
function checkText(context: CheckContext, reference: Shape, text: string, path: string): Violation[] {
  const { type } = context.model.resolve(reference)
  if (type === 'boolean') return text === 'true' || text === 'false' ? [] : [form(`${path} is not a boolean`)]
  if (type !== 'integer' && type !== 'long') return checkConstraint(context, path, text)
  return /^-?\d+$/.test(text) ? checkConstraint(context, path, Number(text)) : [form(`${path} is not a whole number`)]
}

function checkBody(
  context: CheckContext,
  operation: Operation,
  { headers, body }: ReceivedRequest
): { readonly body: unknown; readonly violations: readonly Violation[] } {
  const input = context.model.resolve(operation.input)
  const payload = input.payload === undefined ? undefined : input.members?.[input.payload]
  const inBody = membersOf(context.model, operation).filter(([, { location }]) => location === undefined)
  if (payload !== undefined && context.model.resolve(payload).type === 'blob') return { body, violations: [] }
  if (inBody.length === 0) {
    return { body, violations: body.length === 0 ? [] : [form('it is not so that the body is empty')] }
  }
  if (context.model.protocol === 'rest-xml' && payload !== undefined && input.payload !== undefined) {
    const root = parseXml(body.toString('utf8'))
    const path = `${operation.name}.${input.payload}`
    if (root === undefined) return { body, violations: [form('the body is not XML')] }
    return { body: root, violations: checkElement(context, payload, root, path, payload.locationName ?? input.payload) }
  }
  const { value, violations } = parseJson(body)
  const rules = {
    'the content is JSON': headers['content-type'] === 'application/json',
    'the length is announced': Number(headers['content-length']) === body.length
  }
  const shape = {
    ...input,
    members: Object.fromEntries(inBody),
    required: (input.required ?? []).filter((name) => inBody.some(([each]) => each === name))
  }
  return {
    body: value,
    violations: [
      ...broken(rules),
      ...violations,
      ...(violations.length > 0 ? [] : checkValue(context, shape, value, operation.name))
    ]
  }
}

/** Checks an element of a body; lists are repeated elements of their parent. */
function checkElement(
  context: CheckContext,
  reference: Shape,
  element: XmlElement,
  path: string,
  name: string
): Violation[] {
  const shape = context.model.resolve(reference)
  if (element.name !== name) return [form(`${path} is named ${element.name}`)]
  if (shape.type !== 'structure') return checkText(context, shape, element.text, path)
  const members = Object.entries(shape.members ?? {}).map(([memberName, member]) => {
    const resolved = context.model.resolve(member)
    return { path: `${path}.${memberName}`, name: member.locationName ?? memberName, resolved, memberName }
  })
  const known = new Set(members.map((member) => member.name))
  const unknown = element.children.filter((child) => !known.has(child.name))
  const found = members.flatMap((member): Violation[] => {
    const children = element.children.filter((child) => child.name === member.name)
    const { type, member: item } = member.resolved
    if (children.length === 0) {
      return (shape.required ?? []).includes(member.memberName)
        ? [{ kind: 'constraint', text: `${member.path} is missing` }]
        : []
    }
    if (type === 'list' && item !== undefined) {
      const inside = children.flatMap((child) => checkElement(context, item, child, `${member.path}[]`, member.name))
      return [...checkConstraint(context, member.path, children.length), ...inside]
    }
    if (children.length > 1) return [form(`${member.path} is there twice`)]
    return children.flatMap((child) => checkElement(context, member.resolved, child, member.path, member.name))
  })
  return [...unknown.map((child) => form(`${path}.${child.name} is unknown`)), ...found]
}
