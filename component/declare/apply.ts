import { describeError, Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { Result } from '../model/failure.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import type { ExportStatus } from '../model/stream-info.ts'
import { encodeDefinition } from '../protocol/index.ts'
import type { Catalogue, CatalogueChange } from '../store/catalogue/change.ts'
import { catalogueKeys, type Registry, type Stream } from '../stream/index.ts'
import { dataLosses } from './data-loss.ts'
import type { Declarations, DeclaredStream } from './declarations.ts'
import { differences } from './differences.ts'

/** What declarations are applied to. */
export interface DeclareOptions {
  /** With the streams of the last run brought back. */
  readonly registry: Pick<Registry, 'get' | 'list' | 'create' | 'update' | 'delete'>
  /** Remembers what was declared, so that what clients have changed since can be told from a new declaration. */
  readonly catalogue: Catalogue
  readonly exportStatuses: (streamId: string) => readonly ExportStatus[]
  readonly wallMs: () => number
  readonly logger: Logger
}

/** What has become of a declaration; the counts of the log. */
type Outcome = 'created' | 'updated' | 'unchanged' | 'deleted' | 'refused'

/** Streams that are made at a time: their files and the catalogue's commits are synced together. */
const CONCURRENT_CHANGES = 16

/**
 * Creates, updates and deletes streams as declared, one after another kind; to be called before clients are let in.
 * Streams that are not declared stay as they are. What would lose data is refused unless it is allowed, what cannot be
 * done is reported, and neither concerns the others.
 */
export async function applyDeclarations(declarations: Declarations, options: DeclareOptions): Promise<void> {
  const { logger, registry } = options
  const { streams, deletions, problems } = declarations
  for (const problem of problems) logger.error('A declaration of streams cannot be used', { problem })
  const outcomes: Outcome[] = []
  for (const name of deletions) if (registry.list().includes(name)) outcomes.push(await remove(name, options))
  for (let first = 0; first < streams.length; first += CONCURRENT_CHANGES) {
    const group = streams.slice(first, first + CONCURRENT_CHANGES)
    outcomes.push(...(await Promise.all(group.map((declared) => apply(declared, options)))))
  }
  await remember(declarations, options)
  if (outcomes.length === 0) return
  const count = (outcome: Outcome): number => outcomes.filter((each) => each === outcome).length
  logger.info('The declared streams were applied', {
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    deleted: count('deleted'),
    refused: count('refused')
  })
}

async function remove(name: string, { registry, logger }: DeclareOptions): Promise<Outcome> {
  const stored = registry.get(name)?.storageStatus()
  const result = await registry.delete(name)
  if (!result.ok) {
    logger.warn('A stream could not be deleted as declared', { stream: name, reason: result.failure.message })
    return 'refused'
  }
  const count = stored && stored.newestSequenceNumber + 1 - stored.oldestSequenceNumber
  logger.info('A stream was deleted as declared', { stream: name, messages: count, bytes: stored?.totalBytes })
  return 'deleted'
}

async function apply(declared: DeclaredStream, options: DeclareOptions): Promise<Outcome> {
  const { registry, logger } = options
  const { definition } = declared
  const stream = registry.get(definition.name)
  if (stream !== undefined) return bringInLine(stream, declared, options)
  const result = await registry.create(definition)
  if (result.ok) return 'created'
  logger.warn('A declared stream could not be created', { stream: definition.name, reason: result.failure.message })
  return 'refused'
}

/** Why a stream is not as declared. */
function causeOf(stream: Stream, { catalogue }: DeclareOptions): 'drift' | 'new declaration' {
  const remembered = catalogue.entries().get(catalogueKeys.declared(stream.id))
  const isAsRemembered = remembered?.equals(encodeDefinition(stream.definition)) ?? true
  return isAsRemembered ? 'new declaration' : 'drift'
}

async function bringInLine(stream: Stream, declared: DeclaredStream, options: DeclareOptions): Promise<Outcome> {
  const { logger, exportStatuses, wallMs } = options
  const { definition: next, allowDataLoss } = declared
  const current = stream.definition
  const isAsDefined = encodeDefinition(current).equals(encodeDefinition(next))
  // A kill may have come between a smaller definition and the removal of what does not fit into it.
  if (isAsDefined && BigInt(stream.log.totalBytes) <= next.maxSizeBytes) return 'unchanged'
  const labels = { stream: stream.name, fields: isAsDefined ? 'maxSize' : differences(current, next) }
  if (!isAsDefined && causeOf(stream, options) === 'drift')
    logger.warn('A declared stream was changed by a client', labels)
  const data = { log: stream.log, exportStatuses: exportStatuses(stream.id), wallMs: wallMs() }
  const loss = dataLosses(current, next, data).join('; ')
  if (loss !== '' && !allowDataLoss) {
    logger.warn('A declared stream was not updated because data would be lost', { ...labels, loss })
    return 'refused'
  }
  const result = await replace(current, next, options)
  if (!result.ok) {
    logger.warn('A declared stream could not be updated', { ...labels, reason: result.failure.message })
    return 'refused'
  }
  if (loss !== '') logger.warn('A stream was updated as declared and data was lost', { ...labels, loss })
  else logger.info('A stream was updated as declared', labels)
  return 'updated'
}

/** Persistence cannot be updated (behaviour 3.7): another stream takes the place of the old one. */
async function replace(
  current: StreamDefinition,
  next: StreamDefinition,
  { registry }: DeclareOptions
): Promise<Result<void>> {
  if (current.persistence === next.persistence) return registry.update(next, { mayDropData: true })
  const deleted = await registry.delete(next.name)
  return deleted.ok ? registry.create(next) : deleted
}

/** Keeps what is declared of the streams that are as declared, and forgets the rest. */
async function remember({ streams, problems }: Declarations, options: DeclareOptions): Promise<void> {
  const { registry, catalogue, logger } = options
  const declared = new Map(streams.map(({ definition }) => [definition.name, encodeDefinition(definition)]))
  const changes: CatalogueChange[] = []
  for (const name of registry.list()) {
    const stream = registry.get(name)
    if (stream === undefined) continue
    const key = catalogueKeys.declared(stream.id)
    const remembered = catalogue.entries().get(key)
    const value = declared.get(name)
    const isApplied = value?.equals(encodeDefinition(stream.definition)) === true
    if (isApplied && remembered?.equals(value) !== true) changes.push({ key, value })
    // A declaration that cannot be read may have been its own.
    if (value !== undefined || remembered === undefined || problems.length > 0) continue
    logger.info('A stream is not declared any more and stays as it is', { stream: name })
    changes.push({ key, value: undefined })
  }
  if (changes.length === 0) return
  try {
    await catalogue.commit(changes)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    logger.warn('What is declared cannot be remembered', { error: describeError(error) })
  }
}
