import { MIB } from '../base/limits.ts'
import { Fault } from '../base/fault.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { decodeCborMap, type CborMap } from '../protocol/cbor-decoder.ts'
import { encodeDefinition } from '../protocol/definition-codec.ts'
import type { StreamClient } from './client/client.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, withClient } from './client/open.ts'
import { EXIT, parseArguments, UsageProblem, type Command, type Surroundings } from './command.ts'
import { definitionOf, definitionToDocument, definitionToYaml, parseDefinition } from './definition-file.ts'
import { safeText } from './text.ts'
import { applyFlags, DEFINITION_HELP, DEFINITION_OPTIONS, type DefinitionValues } from './definition-flags.ts'

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  ...DEFINITION_OPTIONS,
  file: { type: 'string', short: 'f' },
  'dry-run': { type: 'boolean' }
} as const

/** The whole of a document. @throws Fault */
async function readDocument(path: string, { openInput }: Surroundings): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of openInput(path)) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MIB) throw new Fault(`${path} has more than ${MIB} bytes`)
  }
  return Buffer.concat(chunks).toString()
}

/** The definition as a map of the protocol, to be changed field by field. */
export function mapOf(definition: StreamDefinition): CborMap {
  const decoded = decodeCborMap(encodeDefinition(definition))
  if (!decoded.ok) throw new Fault(decoded.reason)
  return decoded.map
}

/** The name of the command line and that of a document must not contradict each other. */
function withName(map: CborMap, name: string | undefined): CborMap {
  const own = map.get('name')
  if (name === undefined || own === name) return map
  if (own !== undefined) throw new UsageProblem(`the document is about the stream ${JSON.stringify(own)}`)
  return new Map([['name', name], ...map])
}

/** Every field by its path, exports by their identifiers: `exportDefinition.kinesis.cloud.disabled`. */
function fieldsByPath(value: unknown, path = ''): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, String(value)]])
  const entries: readonly (readonly [string, unknown])[] = Array.isArray(value)
    ? value.map((item: object, index) => ['identifier' in item ? String(item.identifier) : String(index), item])
    : Object.entries(value)
  return new Map(entries.flatMap(([key, item]) => [...fieldsByPath(item, path === '' ? key : `${path}.${key}`)]))
}

/** A line for each field that differs: `maxSize: 1024 -> 2048`. */
export function changesBetween(before: StreamDefinition, after: StreamDefinition): string {
  const [old, next] = [before, after].map((definition) => fieldsByPath(definitionToDocument(definition))) as [
    ReadonlyMap<string, string>,
    ReadonlyMap<string, string>
  ]
  const paths = [...new Set([...old.keys(), ...next.keys()])]
  return paths
    .filter((path) => old.get(path) !== next.get(path))
    .map((path) => `  ${path}: ${safeText(old.get(path) ?? 'none')} -> ${safeText(next.get(path) ?? 'none')}\n`)
    .join('')
}

/** Sends an update unless nothing changes or nothing shall. @returns what to tell */
export async function sendUpdate(
  client: StreamClient,
  before: StreamDefinition,
  after: StreamDefinition,
  isDryRun: boolean
): Promise<string> {
  const changes = changesBetween(before, after)
  if (changes === '') return `stream ${JSON.stringify(after.name)}: nothing changes\n`
  if (!isDryRun) await client.update(after)
  return `stream ${JSON.stringify(after.name)}${isDryRun ? ' would change' : ' updated'}:\n${changes}`
}

/** `create [<stream>]`. */
export const create: Command = {
  name: 'create',
  usage: '[<stream>] [-f <file>] [<definition option>…] [--dry-run]',
  summary: 'creates a stream from a YAML or JSON document, from options, or from both',
  details: [
    '-f, --file <file>  a document as `describe --yaml` prints it; - is standard input. Options win over it.',
    '--dry-run          checks, and prints the definition instead of creating the stream',
    'Without a document a stream overwrites its oldest data when it is full, as --on-full overwrite. The options:',
    ...DEFINITION_HELP,
    ...CONNECTION_HELP
  ],
  options: OPTIONS,
  async run(args, surroundings) {
    const { values, positionals } = parseArguments(args, OPTIONS, [0, 1])
    const [name] = positionals
    const document =
      values.file === undefined
        ? new Map([['strategyOnFull', 1]])
        : await parseDefinition(await readDocument(values.file, surroundings))
    if (name === undefined && values.file === undefined)
      throw new UsageProblem('it takes the name of the stream, or --file')
    const definition = definitionOf(applyFlags(withName(document, name), values))
    if (values['dry-run'] === true) {
      surroundings.write(await definitionToYaml(definition))
      return EXIT.ok
    }
    return withClient(values, surroundings, async (client) => {
      await client.create(definition)
      surroundings.write(`stream ${JSON.stringify(definition.name)} created\n`)
      return EXIT.ok
    })
  }
}

const UPDATE_OPTIONS = { ...OPTIONS, 'remove-export': { type: 'string', multiple: true } } as const

/** The definition that the wish leads to: a document replaces all of it, options change what they name. */
async function wished(
  current: StreamDefinition,
  values: DefinitionValues & { file?: string; 'remove-export'?: readonly string[] },
  surroundings: Surroundings
): Promise<StreamDefinition> {
  const base =
    values.file === undefined
      ? mapOf(current)
      : withName(await parseDefinition(await readDocument(values.file, surroundings)), current.name)
  const definition = definitionOf(applyFlags(base, values))
  const unwanted = values['remove-export'] ?? []
  const unknown = unwanted.find((id) => !definition.exports.some(({ identifier }) => identifier === id))
  if (unknown !== undefined) throw new Fault(`the stream has no export ${JSON.stringify(unknown)}`)
  return { ...definition, exports: definition.exports.filter(({ identifier }) => !unwanted.includes(identifier)) }
}

/** `update <stream>`. */
export const update: Command = {
  name: 'update',
  usage: '<stream> [-f <file>] [<definition option>…] [--remove-export <identifier>]… [--dry-run]',
  summary: 'changes a stream: what the options say, or all of it by a document',
  details: [
    '-f, --file <file>  the new definition, as `describe --yaml` prints it; what it leaves out goes back to its default,',
    '                   and exports that it leaves out are removed. - is standard input.',
    '--remove-export    removes an export, with its position',
    '--dry-run          shows what would change, and changes nothing',
    'An --export takes the place of the one with the same identifier, whose position is kept. The options:',
    ...DEFINITION_HELP,
    ...CONNECTION_HELP
  ],
  options: UPDATE_OPTIONS,
  takes: 'streams',
  async run(args, surroundings) {
    const { values, positionals } = parseArguments(args, UPDATE_OPTIONS, 1)
    return withClient(values, surroundings, async (client) => {
      const { definition: before } = await client.describe(positionals[0] ?? '')
      const after = await wished(before, values, surroundings)
      surroundings.write(await sendUpdate(client, before, after, values['dry-run'] === true))
      return EXIT.ok
    })
  }
}
