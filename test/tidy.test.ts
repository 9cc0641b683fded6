import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'

/** The rules of the code base that neither compiler nor linter knows. */

const COMPONENT = join(import.meta.dirname, '..', 'component')
const FILE_LINES_MAX = 400

/** Where programs begin: the server, and the page in a browser. */
const ENTRIES = ['main.ts', 'monitor/page/main.ts']

/** Layers from left to right: a file imports from its own folder and from layers further left. */
const LAYERS = [
  ['base'],
  ['model'],
  ['config', 'protocol', 'store', 'aws', 'greengrass'],
  ['stream'],
  ['handlers', 'export', 'declare'],
  ['server', 'sinks', 'exporter', 'monitor'],
  ['app.ts', 'cli'],
  ['main.ts']
]

/** Neighbours in a layer that may meet after all: the exporter worker is where sinks run. */
const ALLOWED_NEIGHBOURS = ['exporter -> sinks']

/** The AWS SDK stays out of the main thread's code: only the worker's side and the root may reach these (design 6). */
const RESTRICTED: Readonly<Record<string, readonly string[]>> = {
  sinks: ['sinks', 'exporter', 'app.ts', 'main.ts'],
  aws: ['aws', 'sinks', 'exporter', 'app.ts', 'main.ts'],
  greengrass: ['greengrass', 'app.ts', 'main.ts']
}

interface SourceFile {
  /** Path below component/. */
  readonly path: string
  /** Folder below component/, or the name of a file that lies in component/ itself. */
  readonly layer: string
  readonly text: string
  /** The same length of text with comments blanked out. */
  readonly code: string
  /** Paths below component/ that it imports. */
  readonly imports: readonly string[]
}

function blankComments(text: string): string {
  const blank = (comment: string): string => comment.replace(/[^\n]/g, ' ')
  return text.replace(/\/\*[\s\S]*?\*\/|(^|[^:'"`\\])\/\/.*$/gm, blank)
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(COMPONENT, path), 'utf8')
  const code = blankComments(text)
  const specifiers = [...code.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1]!)
  const imports = specifiers.map((specifier) => relative(COMPONENT, join(COMPONENT, dirname(path), specifier)))
  return { path, layer: layerOf(path), text, code, imports }
}

function layerOf(path: string): string {
  return path.split('/')[0]!
}

function rankOf(layer: string): number {
  return LAYERS.findIndex((names) => names.includes(layer))
}

const FILES = readdirSync(COMPONENT, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map(readSource)

/** `path:line: found` for every match in code (not in comments) of the files that `applies` to. */
function findings(pattern: RegExp, applies: (file: SourceFile) => boolean): string[] {
  return FILES.filter(applies).flatMap((file) =>
    [...file.code.matchAll(new RegExp(pattern, 'g'))].map((match) => {
      const line = file.code.slice(0, match.index).split('\n').length
      return `${file.path}:${line}: ${match[0]}`
    })
  )
}

describe('imports', () => {
  it('start from known layers', () => {
    const strangers = FILES.filter((file) => rankOf(file.layer) === -1).map((file) => file.path)
    assert.deepEqual(strangers, [])
  })

  it('point to files that exist, inside component/', () => {
    const broken = FILES.flatMap((file) =>
      file.imports
        .filter((target) => target.startsWith('..') || !existsSync(join(COMPONENT, target)))
        .map((target) => `${file.path} -> ${target}`)
    )
    assert.deepEqual(broken, [])
  })

  it('point only leftwards', () => {
    const wrong = FILES.flatMap((file) =>
      file.imports
        .filter((target) => {
          const layer = layerOf(target)
          const neighbours = ALLOWED_NEIGHBOURS.includes(`${file.layer} -> ${layer}`)
          return layer !== file.layer && !neighbours && rankOf(layer) >= rankOf(file.layer)
        })
        .map((target) => `${file.path} -> ${target}`)
    )
    assert.deepEqual(wrong, [])
  })

  it('reach restricted folders only from where they may', () => {
    const wrong = FILES.flatMap((file) =>
      file.imports
        .filter((target) => RESTRICTED[layerOf(target)]?.includes(file.layer) === false)
        .map((target) => `${file.path} -> ${target}`)
    )
    assert.deepEqual(wrong, [])
  })

  it('leave lmdb to the catalogue, the AWS SDK to aws/ and sinks/, and the IoT SDK to the file that loads it lazily', () => {
    assert.deepEqual(
      findings(/from 'lmdb'/, (file) => !file.path.startsWith('store/catalogue/')),
      []
    )
    assert.deepEqual(
      findings(/from 'aws-(iot-device-sdk-v2|crt)[^']*'/, (file) => file.path !== 'greengrass/sdk-connection.ts'),
      []
    )
    assert.deepEqual(
      findings(/from '\.[^']*sdk-connection\.ts'/, () => true),
      []
    )
    assert.deepEqual(
      findings(/from '@(aws-sdk|smithy)\/[^']+'/, (file) => !['aws', 'sinks', 'exporter'].includes(file.layer)),
      []
    )
  })

  it('reach every file from where programs begin', () => {
    const reached = new Set(ENTRIES)
    for (const path of reached) {
      for (const target of FILES.find((file) => file.path === path)?.imports ?? []) reached.add(target)
    }
    const dead = FILES.map((file) => file.path).filter((path) => !reached.has(path))
    assert.deepEqual(dead, [])
  })
})

describe('files', () => {
  it(`are at most ${FILE_LINES_MAX} lines long`, () => {
    const long = FILES.map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    assert.deepEqual(
      long.filter(({ lines }) => lines > FILE_LINES_MAX),
      []
    )
  })

  it('are named in lower case with dashes', () => {
    assert.deepEqual(
      FILES.map((file) => file.path).filter((path) => !/^([a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(path)),
      []
    )
  })
})

describe('calls', () => {
  const banned: readonly [what: string, pattern: RegExp, allowed: (file: SourceFile) => boolean][] = [
    [
      'of clock, timers and randomness stay in base/ and, in a browser, where the page begins',
      /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|process\.hrtime|setTimeout|setInterval|randomBytes|randomUUID)\b/,
      (file) => file.layer === 'base' || file.path === 'monitor/page/main.ts'
    ],
    ['of the environment stay in main.ts', /\bprocess\.env\b/, (file) => ['config', 'main.ts'].includes(file.layer)],
    ['of process.exit stay in main.ts', /\bprocess\.exit\b/, (file) => file.layer === 'main.ts'],
    ['of the console are nowhere: the logger writes', /\bconsole\.\w+/, () => false],
    ['of what Node.js 20 lacks are nowhere', /\b(Promise\.withResolvers|Array\.fromAsync|Promise\.try)\b/, () => false],
    [
      'of eval, and connections without verification, are nowhere',
      /\beval\(|\bnew Function\(|\brejectUnauthorized\b|\bNODE_TLS_REJECT/,
      () => false
    ],
    ['of blocking child processes are nowhere', /\b(execSync|spawnSync|execFileSync)\b/, () => false]
  ]
  for (const [what, pattern, allowed] of banned) {
    it(what, () => {
      assert.deepEqual(
        findings(pattern, (file) => !allowed(file)),
        []
      )
    })
  }

  it('and comments are no way around compiler and linter', () => {
    // One line may be excused from one rule, with a reason behind two dashes.
    const escape = /@ts-(ignore|nocheck|expect-error)|eslint-disable(?!-next-line \S+ -- \S)/
    const escaped = FILES.filter((file) => escape.test(file.text))
    assert.deepEqual(
      escaped.map((file) => file.path),
      []
    )
    assert.deepEqual(
      findings(/\bas any\b|: any\b/, () => true),
      []
    )
  })
})
