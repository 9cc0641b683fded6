import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { LOG_LEVELS, type LogLevel } from '../../component/base/log.ts'
import { constantsOf, memberNamesOf, textsOf } from './source-text.ts'

/** A message that the server can log. Words in angle brackets vary. */
export interface LogSentence {
  readonly level: LogLevel
  readonly area: string
  readonly text: string
  readonly fields: readonly string[]
}

/** What the sources log, and the calls whose text cannot be told from them. */
export interface LogCatalogue {
  readonly sentences: readonly LogSentence[]
  /** `file: expression` */
  readonly untold: readonly string[]
}

/** The area that the files of a folder log under, as `app.ts` hands the loggers out: the longest beginning counts. */
export const AREAS: Readonly<Record<string, string>> = {
  '': 'server',
  'declare/': 'streams',
  'export/': 'export',
  'exporter/': 'export',
  'greengrass/': 'nucleus',
  'monitor/': 'monitor',
  'store/': 'store',
  'store/catalogue/': 'catalogue',
  'store/store-root.ts': 'server',
  'stream/': 'store'
}

/** Lists of sentences of the configuration, which `main.ts` logs at these levels. */
const PROBLEM_LISTS: Readonly<Record<string, LogLevel>> = { fatal: 'ERROR', warnings: 'WARN', notes: 'INFO' }
/** Calls that hand on sentences from elsewhere. */
const FORWARDING = ['main.ts: note', 'main.ts: warning', 'main.ts: reason', 'exporter/host.ts: message.message']

const LOGGER = /(^|[.#])(log|logger|announcements|[a-z]+Log)$/
const levelNamed = (name: string): LogLevel | undefined => LOG_LEVELS.find((level) => level.toLowerCase() === name)

const areaOf = (path: string): string =>
  Object.entries(AREAS).reduce((best, next) =>
    path.startsWith(next[0]) && next[0].length >= best[0].length ? next : best
  )[1]

/** Levels of the logger's functions that an expression may be: `log.warn`, or one of two, also by a name. */
function levelsOf(callee: ts.Expression, constants: ReadonlyMap<string, ts.Expression>): readonly LogLevel[] {
  if (ts.isPropertyAccessExpression(callee)) {
    const level = levelNamed(callee.name.text)
    return level !== undefined && LOGGER.test(callee.expression.getText()) ? [level] : []
  }
  if (ts.isConditionalExpression(callee))
    return [...levelsOf(callee.whenTrue, constants), ...levelsOf(callee.whenFalse, constants)]
  const constant = ts.isIdentifier(callee) ? constants.get(callee.text) : undefined
  return constant === undefined || constant === callee ? [] : levelsOf(constant, constants)
}

interface Call {
  readonly levels: readonly LogLevel[]
  readonly message: ts.Expression
  readonly fields: ts.Expression | undefined
}

/** A member of an object literal that is written out or named alike. */
function memberOf(object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  for (const property of object.properties) {
    if (property.name?.getText() !== name) continue
    if (ts.isPropertyAssignment(property)) return property.initializer
    if (ts.isShorthandPropertyAssignment(property)) return property.name
  }
  return undefined
}

/** The worker logs by a message to the main thread. */
function workerCall(object: ts.ObjectLiteralExpression): Call | undefined {
  const [kind, level, message] = ['kind', 'level', 'message'].map((name) => memberOf(object, name))
  if (kind?.getText() !== "'log'" || level === undefined || message === undefined) return undefined
  const named = ts.isStringLiteral(level) ? levelNamed(level.text.toLowerCase()) : undefined
  return { levels: named === undefined ? [] : [named], message, fields: memberOf(object, 'fields') }
}

/** The level of a list of problems that a call adds to. */
function problemLevel(callee: ts.Expression): LogLevel | undefined {
  const list = /(?:^|\.)(\w+)\.push$/.exec(callee.getText())?.[1]
  return list === undefined || !callee.getSourceFile().fileName.startsWith('config/') ? undefined : PROBLEM_LISTS[list]
}

function callIn(node: ts.Node, constants: ReadonlyMap<string, ts.Expression>): Call | undefined {
  if (ts.isObjectLiteralExpression(node)) return workerCall(node)
  if (!ts.isCallExpression(node)) return undefined
  const [message, fields] = node.arguments
  if (message === undefined) return undefined
  const problem = problemLevel(node.expression)
  if (problem !== undefined) return { levels: [problem], message, fields: undefined }
  const levels = levelsOf(node.expression, constants)
  return levels.length === 0 ? undefined : { levels, message, fields }
}

function readSource(path: string, text: string): LogCatalogue {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  const constants = constantsOf(file)
  const sentences: LogSentence[] = []
  const untold: string[] = []
  const visit = (node: ts.Node): void => {
    const call = callIn(node, constants)
    if (call !== undefined) {
      const texts = textsOf(call.message, constants)
      const fields = memberNamesOf(call.fields, constants)
      if (texts === undefined) untold.push(`${path}: ${call.message.getText()}`)
      for (const level of call.levels)
        for (const sentence of texts ?? []) sentences.push({ level, area: areaOf(path), text: sentence, fields })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { sentences, untold }
}

/** One entry for the same sentence at the same level, with the fields of all its places. */
function merged(sentences: readonly LogSentence[]): LogSentence[] {
  const found = new Map<string, LogSentence>()
  for (const sentence of sentences) {
    const key = [sentence.level, sentence.area, sentence.text].join('\n')
    const fields = new Set([...(found.get(key)?.fields ?? []), ...sentence.fields])
    found.set(key, { ...sentence, fields: [...fields] })
  }
  return [...found.values()]
}

/** Collects all log messages from the sources. @param folder that of the component */
export function readLogCatalogue(folder: string): LogCatalogue {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== join('base', 'log.ts'))
    .sort()
  const all = paths.map((path) => readSource(path, readFileSync(join(folder, path), 'utf8')))
  return {
    sentences: merged(all.flatMap(({ sentences }) => sentences)),
    untold: all.flatMap(({ untold }) => untold).filter((place) => !FORWARDING.includes(place))
  }
}
