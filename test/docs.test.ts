import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { BatchPutAssetPropertyValueErrorCode } from '@aws-sdk/client-iotsitewise'
import * as limits from '../component/base/limits.ts'
import * as awsEnvironment from '../component/config/aws-environment.ts'
import { NUCLEUS_VARIABLES, type Parameter, PARAMETERS } from '../component/config/parameters.ts'
import type { FailureKind } from '../component/model/failure.ts'
import { statusOf } from '../component/protocol/status.ts'
import * as iotAnalytics from '../component/sinks/iot-analytics/sink.ts'
import * as kinesis from '../component/sinks/kinesis/errors.ts'
import * as s3 from '../component/sinks/s3/errors.ts'
import * as sitewise from '../component/sinks/sitewise/answer.ts'
import { SECTIONS } from '../scripts/docs/failures.ts'
import { generate, GENERATED_PATHS } from '../scripts/docs/index.ts'
import { AREAS, readLogCatalogue } from '../scripts/docs/log-sentences.ts'
import { MORE_FIELDS, needsRemedy } from '../scripts/docs/messages.ts'
import { REMEDIES } from '../scripts/docs/remedies.ts'

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

/** What `stream_manager` 1.1.1 exports, as far as examples use it. */
const PYTHON_NAMES = new Set([
  'AssetPropertyValue',
  'ExportDefinition',
  'ExportFormat',
  'HTTPConfig',
  'IoTAnalyticsConfig',
  'IoTSiteWiseConfig',
  'KinesisConfig',
  'MessageStreamDefinition',
  'Persistence',
  'PutAssetPropertyValueEntry',
  'Quality',
  'ReadMessagesOptions',
  'S3ExportTaskDefinition',
  'S3ExportTaskExecutorConfig',
  'Status',
  'StatusConfig',
  'StatusLevel',
  'StatusMessage',
  'StrategyOnFull',
  'StreamManagerClient',
  'TimeInNanos',
  'Util',
  'Variant'
])

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

describe('examples in the documents', () => {
  const blocks = DOCUMENTS.flatMap((path) =>
    [...read(path).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
      path,
      language,
      text
    }))
  )

  it('of JSON can be parsed', () => {
    const json = blocks.filter(({ language }) => language === 'json')
    assert.ok(json.length > 5, 'the pattern finds examples')
    for (const { path, text } of json) assert.doesNotThrow(() => void JSON.parse(text), path)
  })

  it('of Python import what the client library has, and use all of it', () => {
    const python = blocks.filter(({ language }) => language === 'python')
    assert.ok(python.length > 4, 'the pattern finds examples')
    for (const { path, text } of python) {
      const list = /^from stream_manager import (?:\(([^)]*)\)|(.*))$/m.exec(text)
      const names = (list?.[1] ?? list?.[2] ?? '').split(',').map((name) => name.trim())
      const used = names.filter((name) => name !== '')
      assert.ok(used.length > 0, path)
      for (const name of used) {
        assert.ok(PYTHON_NAMES.has(name), `${path}: the library has ${name}`)
        assert.ok(text.split(new RegExp(`\\b${name}\\b`)).length > 2, `${path} uses ${name}`)
      }
    }
  })
})

describe('generated documents', () => {
  for (const path of GENERATED_PATHS) {
    it(`${path} is what \`npm run docs\` writes`, async () => {
      assert.equal(read(path), await generate(path))
    })
  }
})

describe('the log messages', () => {
  const { sentences, untold } = readLogCatalogue(join(ROOT, 'component'))
  const texts = new Set(sentences.map(({ text }) => text))

  it('can all be told from the sources', () => {
    assert.ok(sentences.length > 80, 'the calls are found')
    assert.deepEqual(untold, [])
  })

  it('come with what to do when they are warnings or errors', () => {
    const needed = sentences.filter(needsRemedy).map(({ text }) => text)
    assert.deepEqual([...new Set(needed)].sort(), Object.keys(REMEDIES).sort())
  })

  it('have no fields added that nothing logs', () => {
    assert.deepEqual(
      Object.keys(MORE_FIELDS).filter((text) => !texts.has(text)),
      []
    )
  })

  it('are under the areas that the sources name', () => {
    const sources = SOURCES.filter((path) => path.startsWith('component/') && path.endsWith('.ts'))
    const named = sources.flatMap((path) => [...read(path).matchAll(/\.area\('(\w+)'\)/g)].map((match) => match[1]!))
    assert.deepEqual([...new Set(Object.values(AREAS))].sort(), [...new Set([...named, 'server'])].sort())
  })

  it('are quoted in the documents as they are', () => {
    const quoted = DOCUMENTS.flatMap((path) =>
      [...read(path).matchAll(/\[([A-Z]+)\] \((\w+)\) (.+?)\.(?: \{.*\})?$/gm)].map((match) =>
        match.slice(1, 4).join(' ')
      )
    )
    const known = sentences.map(({ level, area, text }) => [level, area, text].join(' '))
    assert.ok(quoted.length > 0, 'the pattern finds lines')
    assert.deepEqual(
      quoted.filter((line) => !known.includes(line)),
      []
    )
  })
})

describe('docs/deploying.md', () => {
  /** Sources with texts that are written over several lines joined. */
  const corpus = SOURCES.filter(
    (path) => /^(component|scripts)\/.*\.(ts|sh)$/.test(path) && !path.startsWith('scripts/docs/')
  )
    .map(read)
    .join('\n')
    .replaceAll(/['"`] \+\s*['"`]|" \\\n\s*"/g, '')

  for (const heading of ['When it does not start', 'When something does not work']) {
    it(`quotes lines under "${heading}" as the program writes them`, () => {
      const rows = tableRows(sectionOf('docs/deploying.md', heading))
      const column = heading === 'When it does not start' ? 0 : 1
      const quoted = rows.flatMap((cells) => codeSpans(cells[column] ?? '')).filter((span) => span.includes(' '))
      assert.ok(quoted.length > 5, 'the table is found')
      const parts = quoted.flatMap((line) => line.split('...').map((part) => part.replaceAll(/^[\s;:]+|[\s;:]+$/g, '')))
      assert.deepEqual(
        parts.filter((part) => !corpus.includes(part)),
        []
      )
    })
  }
})

describe('docs/export-failures.md', () => {
  /** Names that a section explains, or those of all sections. */
  const explained = (title?: string): Set<string> =>
    new Set(
      SECTIONS.filter((section) => title === undefined || section.title === title).flatMap(({ rows }) =>
        rows.flatMap(({ names }) => names)
      )
    )

  const operations = [
    ['Kinesis Data Streams', 'client-kinesis', 'PutRecordsCommand'],
    ['IoT SiteWise', 'client-iotsitewise', 'BatchPutAssetPropertyValueCommand'],
    ['IoT Analytics', 'client-iotanalytics', 'BatchPutMessageCommand'],
    ['S3 tasks', 'client-s3', 'PutObjectCommand']
  ] as const
  for (const [title, client, command] of operations) {
    it(`explains the errors that AWS documents for ${command}`, () => {
      const types = read(`node_modules/@aws-sdk/${client}/dist-types/commands/${command}.d.ts`)
      const documented = [...types.matchAll(/@throws \{@link (\w+)\}/g)].map((match) => match[1]!)
      const errors = documented.filter((name) => !name.endsWith('ServiceException'))
      assert.ok(errors.length >= 4, 'the pattern finds errors')
      assert.deepEqual(
        errors.filter((name) => !explained(title).has(name)),
        []
      )
    })
  }

  it('explains all codes of the SiteWise client for single entries', () => {
    const entryCodes = SECTIONS.find(({ title }) => title === 'IoT SiteWise')!
      .rows.filter(({ from }) => typeof from === 'object' && from.kind === 'message')
      .flatMap(({ names }) => names)
    assert.deepEqual(entryCodes.sort(), Object.keys(BatchPutAssetPropertyValueErrorCode).sort())
  })

  const judged = [
    ['Kinesis Data Streams', [...kinesis.VALIDATION_ERRORS, ...kinesis.THROTTLING_ERRORS]],
    ['IoT SiteWise', [...sitewise.REJECTING_CODES, ...sitewise.REJECTING_ERRORS, sitewise.CONFLICT]],
    ['IoT Analytics', [...iotAnalytics.REJECTING_ERRORS]],
    ['S3 tasks', [...s3.RETRIED, ...s3.UPLOAD_LOST, ...s3.ELSEWHERE]]
  ] as const
  for (const [title, names] of judged) {
    it(`explains every error that the program knows of ${title}`, () => {
      assert.deepEqual(
        names.filter((name) => !explained(title).has(name)),
        []
      )
    })
  }

  it('explains every name that the program gives itself', () => {
    const sources = SOURCES.filter((path) => /^component\/(sinks|exporter|aws)\/.*\.ts$/.test(path))
      .map(read)
      .join('\n')
    const patterns = [
      /\breason\('(\w+)'/g,
      /readonly name = '(\w+)'/g,
      /^ +name: '([A-Z]\w+)'/gm,
      /[`']([A-Z]\w+Error): /g
    ]
    const given = new Set(patterns.flatMap((pattern) => [...sources.matchAll(pattern)].map((match) => match[1]!)))
    // It becomes InputFileShrunk.
    given.delete('FileTooShort')
    assert.ok(given.size > 15, 'the patterns find names')
    assert.deepEqual(
      [...given].filter((name) => !explained().has(name)),
      []
    )
  })
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
    const [, digits = '', unit = ''] = /^([\d,.]+) ?([A-Za-z]*)$/.exec(text) ?? []
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

  it('has every bound of the monitor and its page', () => {
    const told = new Set(
      rows.map(([constant = '', file = '', value = '']) =>
        [...codeSpans(constant), ...codeSpans(file), numberOf(value)].join()
      )
    )
    const folder = join('component', 'monitor')
    const actual = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) =>
        [...read(join(folder, path)).matchAll(/^(?:export )?const (\w+_MAX(?:_MS)?) = ([\d_.]+)$/gm)].map(
          ([, name, value = '']) => [name, `monitor/${path}`, Number(value.replaceAll('_', ''))].join()
        )
      )
    assert.ok(actual.length > 10, 'the bounds are found')
    assert.deepEqual(
      actual.filter((bound) => !told.has(bound)),
      []
    )
  })
})

/** Names of the tests in a file; what varies in them is "…" here. */
function testNames(path: string): Set<string> {
  const calls = read(path).matchAll(/^\s*(?:it|test)\(\s*(['"`])(.*?)\1\s*,/gm)
  const names = [...calls].map(([, , name = '']) => name.replace(/\$\{.*?\}/g, '…').replaceAll("\\'", "'"))
  // The rules of test/tidy.test.ts are rows of a table.
  const rules = [...read(path).matchAll(/^\s*\[?'(of [^']*|.* nowhere)',$/gm)].map(([, name = '']) => name)
  return new Set([...names, ...rules])
}

describe('docs/reliability.md', () => {
  const rows = tableRows(read('docs/reliability.md'))
  const faults = rows.filter(([id = '', , what]) => /^[A-Z]{2}\d+a?$/.test(id) && what !== undefined)
  const isProof = ([, file = '']: readonly string[]): boolean => /^`.*\.ts`$/.test(file)
  const proofs = faults.filter(isProof)

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

describe('docs/security.md', () => {
  const rows = tableRows(read('docs/security.md')).filter(([id = '']) => /^[NKLXHWPOU]\d$/.test(id))
  const isProof = ([, file = '']: readonly string[]): boolean => /^`.*\.ts`$/.test(file)
  const proofs = rows.filter(isProof)

  it('names tests that exist', () => {
    const missing = proofs.filter(([, file = '', name = '']) => !testNames(join('test', codeSpans(file)[0]!)).has(name))
    assert.deepEqual(missing, [])
  })

  it('has a test, or the reason why there is none, for each of the 39 lines', () => {
    const lines = new Set(tableRows(sectionOf('docs/security.md', 'What stands in the way')).map(([id = '']) => id))
    const ids = rows.map(([id = '']) => id).filter((id) => lines.has(id))
    assert.equal(new Set(ids).size, 39)
    const explained = tableRows(sectionOf('docs/security.md', 'Without a test')).map(([id = '']) => id)
    const proven = new Set([...proofs.map(([id = '']) => id), ...explained])
    assert.deepEqual(
      ids.filter((id) => !proven.has(id)),
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
