import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import * as limits from '../component/base/limits.ts'
import * as awsEnvironment from '../component/config/aws-environment.ts'
import { NUCLEUS_VARIABLES, type Parameter, PARAMETERS } from '../component/config/parameters.ts'
import type { FailureKind } from '../component/model/failure.ts'
import { statusOf } from '../component/protocol/status.ts'
import { generate, GENERATED_PATHS } from '../scripts/docs/index.ts'

/** The documents against the code: what a reader is told must be so. */

const ROOT = join(import.meta.dirname, '..')
const DOCUMENTS = ['.', 'docs', 'artifacts'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
)

/** Every file that a document may name, from the root. */
const SOURCES = ['component', 'scripts', 'test'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path))
)

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Cells of all table rows, without their blanks; heads and rules are among them. */
function tableRows(markdown: string): string[][] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'))
  return lines.map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split('|')
      .map((cell) => cell.trim())
  )
}

/** The text below a heading of the second level. */
function sectionOf(path: string, heading: string): string {
  const section = read(path)
    .split('\n## ')
    .find((text) => text.startsWith(`${heading}\n`))
  assert.ok(section !== undefined, `${path} has the section ${heading}`)
  return section
}

const codeSpans = (markdown: string): string[] => [...markdown.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!)

/** The anchor that a heading gets. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

function brokenLinks(path: string): string[] {
  const prose = read(path).replace(/```[\s\S]*?```/g, '')
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!)
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false
    const [file = '', anchor] = target.split('#')
    const linked = file === '' ? path : join(dirname(path), file)
    if (!existsSync(join(ROOT, linked))) return true
    const headings = [...read(linked).matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1]!))
    return anchor !== undefined && !headings.includes(anchor)
  })
}

describe('all documents', () => {
  for (const path of DOCUMENTS) {
    it(`${path} links to what exists`, () => {
      assert.deepEqual(brokenLinks(path), [])
    })

    it(`${path} names source files that exist`, () => {
      const named = codeSpans(read(path)).filter((span) => /^([a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(span))
      const missing = named.filter((name) => !SOURCES.some((source) => `/${source}`.endsWith(`/${name}`)))
      assert.deepEqual(missing, [])
    })
  }
})

describe('generated documents', () => {
  for (const path of GENERATED_PATHS) {
    it(`${path} is what \`npm run docs\` writes`, async () => {
      assert.equal(read(path), await generate(path))
    })
  }
})

describe('the settings', () => {
  const parameters: readonly Parameter<unknown>[] = Object.values(PARAMETERS)

  it('in README.md exist and have the default that is told', () => {
    const told = tableRows(sectionOf('README.md', 'Settings')).slice(2)
    assert.ok(told.length >= 5, 'the table is found')
    const actual = told.map(([name = '']) => {
      const parameter = parameters.find((each) => `\`${each.name}\`` === name)
      return [name, String(parameter?.whenUnset) === '' ? '' : `\`${String(parameter?.whenUnset)}\``]
    })
    assert.deepEqual(
      told.map((cells) => cells.slice(0, 2)),
      actual
    )
  })

  it('are all the environment variables that the sources name', () => {
    const known = new Set<string>([
      ...parameters.map(({ name }) => name),
      ...awsEnvironment.AWS_VARIABLES,
      ...Object.values(NUCLEUS_VARIABLES)
    ])
    const sources = SOURCES.filter((path) => path.startsWith('component/') && path.endsWith('.ts'))
    const named = sources.flatMap((path) => read(path).match(/\b(?:STREAM_MANAGER|AWS|GG)_[A-Z_\d]*[A-Z\d]\b/g) ?? [])
    const defines = new Set(['STREAM_MANAGER_VERSION', 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'])
    const strangers = named.filter((name) => !known.has(name) && !defines.has(name) && !(name in awsEnvironment))
    assert.ok(named.length > 50, 'the pattern finds the variables')
    assert.deepEqual(strangers, [])
  })
})

describe('ARCHITECTURE.md', () => {
  it('has a line for every folder of component/, and for no other', () => {
    const folders = readdirSync(join(ROOT, 'component'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(ROOT, 'component').length + 1))
    const section = sectionOf('ARCHITECTURE.md', 'Folders')
    const listed = tableRows(section).flatMap(([cell = '']) => codeSpans(cell))
    assert.deepEqual(listed.sort(), folders.sort())
  })
})

describe('docs/protocol.md', () => {
  /** The names of the official client libraries. */
  const STATUS_NAMES = {
    unknownFailure: 'UnknownFailure',
    unauthorized: 'Unauthorized',
    invalidRequest: 'InvalidRequest',
    requestPayloadTooLarge: 'RequestPayloadTooLarge',
    resourceNotFound: 'ResourceNotFound',
    serverTimeout: 'ServerTimeout',
    responsePayloadTooLarge: 'ResponsePayloadTooLarge',
    unsupportedConnectVersion: 'UnsupportedConnectVersion',
    unexpectedOperation: 'UnexpectedOperation',
    unsupportedProtocolVersion: 'UnsupportedProtocolVersion',
    invalidProtocolVersion: 'InvalidProtocolVersion',
    failedToConnect: 'FailedToConnect',
    notEnoughMessages: 'NotEnoughMessages',
    messageStoreReadError: 'MessageStoreReadError',
    outOfMemory: 'OutOfMemoryError',
    updateFailed: 'UpdateFailed',
    updateNotAllowed: 'UpdateNotAllowed',
    unknownOperation: 'UnknownOperation'
  } as const satisfies Record<FailureKind, string>

  it('has the status codes of both protocol versions', () => {
    const told = tableRows(sectionOf('docs/protocol.md', 'Status codes')).slice(2)
    const kinds = Object.keys(STATUS_NAMES) as FailureKind[]
    const actual = kinds.map((kind) => [
      STATUS_NAMES[kind],
      String(statusOf(kind, '1.1.0')),
      String(statusOf(kind, '1.0.0'))
    ])
    assert.deepEqual(
      told.map((cells) => cells.slice(0, 3)),
      [['Success', '0', '0'], ...actual]
    )
  })
})

describe('docs/limits.md', () => {
  const rows = tableRows(read('docs/limits.md'))
  const UNITS: Readonly<Record<string, number>> = {
    KiB: 1024,
    MiB: 1024 ** 2,
    GiB: 1024 ** 3,
    s: 1_000,
    min: 60_000,
    '': 1
  }
  const numberOf = (text: string): number => {
    const [, digits = '', unit = ''] = /^([\d,]+) ?([A-Za-z]*)$/.exec(text) ?? []
    return Number(digits.replaceAll(',', '')) * (UNITS[unit] ?? NaN)
  }
  /** They depend on the machine. */
  const SHARES_OF_MEMORY = [
    'FRAME_MEMORY_BYTES_MAX',
    'ANSWER_MEMORY_BYTES_MAX',
    'SMALL_ANSWER_MEMORY_BYTES_MAX',
    'MEMORY_STREAM_BYTES_MAX'
  ]

  it('has every shared limit with its value', () => {
    const fixed = ([name]: readonly [string, number]): boolean => !SHARES_OF_MEMORY.includes(name)
    const all = Object.entries(limits).filter(([name]) => name !== 'KIB' && name !== 'MIB')
    const names = new Set(all.map(([name]) => name))
    const shared = rows.filter(([cell = '']) => codeSpans(cell).some((span) => names.has(span)))
    const told = shared.map(([cell = '', value = '']) => [codeSpans(cell)[0]!, numberOf(value)] as const)
    assert.deepEqual(Object.fromEntries(told.filter(fixed)), Object.fromEntries(all.filter(fixed)))
    for (const name of SHARES_OF_MEMORY)
      assert.ok(
        told.some(([listed]) => listed === name),
        name
      )
  })

  it('has other limits where the code has them', () => {
    const inside = rows.filter(([, file = '']) => /^`.*\.ts`$/.test(file))
    assert.ok(inside.length > 10, 'the table is found')
    for (const [constant = '', file = ''] of inside) {
      const [name = '', path = ''] = [codeSpans(constant)[0], codeSpans(file)[0]]
      assert.match(read(join('component', path)), new RegExp(`const ${name}\\b`), `${name} in ${path}`)
    }
  })
})

describe('docs/reliability.md', () => {
  const rows = tableRows(read('docs/reliability.md'))
  const faults = rows.filter(([id = '', , what]) => /^[A-Z]{2}\d+a?$/.test(id) && what !== undefined)
  const isProof = ([, file = '']: readonly string[]): boolean => /^`.*\.ts`$/.test(file)
  const proofs = faults.filter(isProof)

  /** Names of the tests in a file; what varies in them is "…" here. */
  const testNames = (path: string): Set<string> => {
    const calls = read(path).matchAll(/^\s*(?:it|test)\(\s*(['"`])(.*?)\1\s*,/gm)
    return new Set([...calls].map(([, , name = '']) => name.replace(/\$\{.*?\}/g, '…').replaceAll("\\'", "'")))
  }

  it('names tests that exist', () => {
    const missing = proofs.filter(([, file = '', name = '']) => !testNames(join('test', codeSpans(file)[0]!)).has(name))
    assert.deepEqual(missing, [])
  })

  it('has a test, or the reason why there is none, for each of the 94 faults', () => {
    const described = sectionOf('docs/reliability.md', 'Without a test')
    const explained = new Set(tableRows(described).map(([id = '']) => id))
    const proven = new Set(proofs.map(([id]) => id))
    const ids = new Set(faults.map(([id = '']) => id))
    assert.equal(ids.size, 94)
    assert.deepEqual(
      [...ids].filter((id) => !proven.has(id) && !explained.has(id)),
      []
    )
  })
})

describe('CONTRIBUTING.md and CHANGELOG.md', () => {
  const manifest = JSON.parse(read('package.json')) as {
    readonly version: string
    readonly dependencies: Readonly<Record<string, string>>
    readonly devDependencies: Readonly<Record<string, string>>
  }

  it('give a reason for every dependency', () => {
    const explained = new Set(tableRows(read('CONTRIBUTING.md')).flatMap(([cell = '']) => codeSpans(cell)))
    const all = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
    assert.deepEqual(
      all.filter((name) => !explained.has(name)),
      []
    )
  })

  it('list the suites of scripts/test.ts', () => {
    const suites = /const SUITES = \[(.*)\]/.exec(read('scripts/test.ts'))?.[1] ?? ''
    const names = [...suites.matchAll(/'(\w+)'/g)].map((match) => match[1]!)
    assert.ok(names.includes('docs'), 'the suites are found')
    const listed = new Set(tableRows(read('CONTRIBUTING.md')).flatMap(([cell = '']) => codeSpans(cell)))
    assert.deepEqual(
      names.filter((name) => !listed.has(name)),
      []
    )
  })

  it('tell what is new in this version', () => {
    const newest = /^## (\S+)/m.exec(read('CHANGELOG.md'))?.[1]
    assert.equal(newest, manifest.version)
  })
})
