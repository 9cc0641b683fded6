import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import * as limits from '../component/base/limits.ts'
import { AWS_VARIABLES } from '../component/config/aws-environment.ts'
import { DEFAULTS } from '../component/config/config.ts'
import type { FailureKind } from '../component/model/failure.ts'
import { statusOf } from '../component/protocol/status.ts'

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

describe('README.md', () => {
  const rows = tableRows(read('README.md'))
  const VARIABLE = /^([A-Z\d]+_[A-Z_\d]+|[a-z]+_proxy|SVCUID|HOME)$/

  it('lists the settings that are parsed, and no others', () => {
    const source = read('component/config/parse-config.ts')
    const parsed = [...source.matchAll(/'((?:[A-Z]\w*_[A-Z_\d]+|SVCUID))'/g)].map((match) => match[1]!)
    const listed = rows.flatMap(([cell = '']) => codeSpans(cell)).filter((span) => VARIABLE.test(span))
    const known = new Set([...parsed, ...AWS_VARIABLES, 'UV_THREADPOOL_SIZE'])
    assert.ok(parsed.length >= 12, 'the pattern finds the settings')
    assert.deepEqual([...listed].sort(), [...known].sort())
  })

  it('tells the defaults', () => {
    const defaults: Readonly<Record<string, string | number | boolean>> = {
      STREAM_MANAGER_STORE_ROOT_DIR: DEFAULTS.storeRoot,
      STREAM_MANAGER_SERVER_PORT: DEFAULTS.port,
      STREAM_MANAGER_AUTHENTICATE_CLIENT: DEFAULTS.authenticateClients,
      STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH: DEFAULTS.bandwidthKbitPerSecond,
      STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE: DEFAULTS.concurrencyMax,
      STREAM_MANAGER_EXPORTER_S3_DESTINATION_MULTIPART_UPLOAD_MIN_PART_SIZE_BYTES: DEFAULTS.s3PartBytesMin,
      STREAM_MANAGER_DEVELOPER_MODE: DEFAULTS.developerMode,
      LOG_LEVEL: DEFAULTS.logLevel
    }
    const told = Object.keys(defaults).map((name) => [name, rows.find(([cell]) => cell === `\`${name}\``)?.[1]])
    assert.deepEqual(
      told,
      Object.entries(defaults).map(([name, value]) => [name, `\`${String(value)}\``])
    )
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
