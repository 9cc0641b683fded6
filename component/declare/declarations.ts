import { describeError, Fault } from '../base/fault.ts'
import { STREAMS_MAX } from '../base/limits.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { readDefinition, type DefinitionRules } from '../protocol/definition-fields.ts'
import { definitionProblems } from '../protocol/definition-policy.ts'
import { Fields, NAME_PATTERN } from '../protocol/fields.ts'
import { definitionMap } from './definition-map.ts'
import { DEFINITION_SHAPE } from './definition-shape.ts'
import { isObject, parseDocument, type Loose } from './document.ts'

/** A stream that a deployment wants to be there. */
export interface DeclaredStream {
  readonly definition: StreamDefinition
  /** Whether it may be made so at the price of stored or unexported messages. */
  readonly allowDataLoss: boolean
}

/** All that is declared. */
export interface Declarations {
  readonly streams: readonly DeclaredStream[]
  /** Names of streams that are to be deleted. */
  readonly deletions: readonly string[]
  /** What cannot be used and is left out, as sentences that begin with the path. */
  readonly problems: readonly string[]
}

/** A text with declarations, JSON or YAML. */
export interface DeclarationSource {
  /** What stands before the paths in problems. */
  readonly label: string
  /** @throws Fault when it cannot be had */
  read(): string
}

/** Longest name in a problem. */
const NAME_CHARS_MAX = 255

/** Reads and checks declarations by the rules for requests of clients; each that is wrong leaves the others alone. */
export async function readDeclarations(
  sources: readonly DeclarationSource[],
  rules: DefinitionRules
): Promise<Declarations> {
  const problems: string[] = []
  const streams = new Map<string, DeclaredStream>()
  const deletions = new Set<string>()
  /** Declared twice: which one is meant cannot be told. */
  const ambiguous = new Set<string>()

  const takeStream = (item: Loose, path: string): void => {
    const declared = readStream(item, path, rules, problems)
    if (declared === undefined) return
    const { name } = declared.definition
    if (streams.has(name)) {
      problems.push(`${path}.name: ${name} is declared twice.`)
      ambiguous.add(name)
    } else streams.set(name, declared)
  }

  const takeDeletion = (item: Loose, path: string): void => {
    if (typeof item === 'string' && item.length > 0 && item.length <= NAME_CHARS_MAX && NAME_PATTERN.test(item))
      deletions.add(item)
    else problems.push(`${path}: must be the name of a stream.`)
  }

  for (const source of sources) {
    const document = await readSource(source, problems)
    if (document === undefined) continue
    const { label } = source
    const { definitions, deleted } = partsOf(document, label, problems)
    listOf(definitions, `${label}definitions`, problems).forEach((item, index) =>
      takeStream(item, `${label}definitions[${index}]`)
    )
    listOf(deleted, `${label}delete`, problems).forEach((item, index) => takeDeletion(item, `${label}delete[${index}]`))
  }
  for (const name of deletions) {
    if (!streams.has(name)) continue
    problems.push(`delete: ${name} is also declared.`)
    ambiguous.add(name)
  }
  return {
    streams: [...streams.values()].filter(({ definition }) => !ambiguous.has(definition.name)),
    deletions: [...deletions].filter((name) => !ambiguous.has(name)),
    problems
  }
}

async function readSource({ label, read }: DeclarationSource, problems: string[]): Promise<Loose> {
  try {
    return (await parseDocument(read())) ?? undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    problems.push(`${label.replace(/\W+$/, '')}: ${describeError(error)}.`)
    return undefined
  }
}

/** An object with both lists, or the list of definitions alone. */
function partsOf(document: Loose, label: string, problems: string[]): { definitions: Loose; deleted: Loose } {
  if (Array.isArray(document)) return { definitions: document, deleted: undefined }
  if (!isObject(document)) {
    problems.push(`${label.replace(/\W+$/, '')}: must be an object with definitions and delete.`)
    return { definitions: undefined, deleted: undefined }
  }
  const { definitions, delete: deleted, ...others } = document
  for (const key of Object.keys(others)) problems.push(`${label}${key} is not known.`)
  return { definitions, deleted }
}

/** The elements of a list. The recipe's default is an empty text, because a nucleus might drop an empty list. */
function listOf(value: Loose, path: string, problems: string[]): readonly Loose[] {
  if (value === undefined || value === null || value === '') return []
  if (!Array.isArray(value)) problems.push(`${path}: must be a list.`)
  else if (value.length > STREAMS_MAX) problems.push(`${path}: must have at most ${STREAMS_MAX} elements.`)
  else return value as readonly Loose[]
  return []
}

function readStream(item: Loose, path: string, rules: DefinitionRules, problems: string[]): DeclaredStream | undefined {
  if (!isObject(item)) {
    problems.push(`${path}: must be an object.`)
    return undefined
  }
  const { allowDataLoss = false, ...rest } = item
  const found: string[] = []
  const fields = new Fields(definitionMap(rest, DEFINITION_SHAPE, path, found), path)
  const definition = readDefinition(fields, rules)
  found.push(...fields.problems)
  const isAllowed = allowDataLoss === true || allowDataLoss === 'true'
  if (!isAllowed && allowDataLoss !== false && allowDataLoss !== 'false')
    found.push(`${path}.allowDataLoss: must be a boolean.`)
  if (found.length === 0) found.push(...definitionProblems(definition).map((problem) => withPath(problem, path)))
  problems.push(...found)
  return found.length === 0 ? { definition, allowDataLoss: isAllowed } : undefined
}

/** Puts the path in the place of the one that a request has. */
function withPath(problem: string, path: string): string {
  return problem.startsWith('definition.') ? `${path}${problem.slice('definition'.length)}` : `${path}: ${problem}`
}
