import { existsSync, readlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describeError, Fault } from '../../base/fault.ts'
import { countText } from '../../base/quantities.ts'
import { parseConfig, VERSION } from '../../config/index.ts'
import type { StreamInfo } from '../../model/stream-info.ts'
import { findStoreHolder } from '../../store/store-lock.ts'
import type { StreamClient } from '../client/client.ts'
import { chooseEnvironment, type ChosenEnvironment } from '../client/environment.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, prepareConnection, type ConnectionValues } from '../client/open.ts'
import { readStatus, STATUS_HELP, STATUS_OPTIONS, type ServerStatus } from '../client/status.ts'
import { EXIT, parseArguments, UsageProblem, type Command, type Surroundings } from '../command.ts'
import { messageAt } from '../find-number.ts'
import { createProgress } from '../progress.ts'
import { toJson } from '../stream-report.ts'
import { viewStream, type StreamView } from '../stream-status.ts'
import { openStoreReader } from '../store-reader.ts'
import { checkAccess, checkClock, checkTarget, type Target } from './cloud-checks.ts'
import { healthFindings } from './account-checks.ts'
import { bad, findingsText, missingFinding, ok, type Finding, type Verdict } from './finding.ts'
import { checkSettings, checkStore, checkVersions } from './local-checks.ts'
import { checkStreams, exportName } from './stream-checks.ts'

/** Destinations that are looked at at a time. */
const CONCURRENCY = 8

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  ...STATUS_OPTIONS,
  root: { type: 'string' },
  offline: { type: 'boolean' },
  json: { type: 'boolean' }
} as const

interface Place {
  readonly environment: ChosenEnvironment
  /** Where relative paths of the server start. */
  readonly workFolder: string
  readonly values: ConnectionValues
  /** Whether the environment is the server's, as far as can be told. */
  readonly isServers: boolean
}

/** With `--root` alone the process that runs on that store is found. */
function findPlace(values: ConnectionValues & { root?: string }, surroundings: Surroundings): Place {
  const root = values.root === undefined ? undefined : resolve(surroundings.workFolder, values.root)
  const isTold = values.pid !== undefined || values['env-file'] !== undefined
  const holder = root === undefined || isTold ? undefined : findStoreHolder(join(root, 'streams-v1'))
  const choose = (chosen: ConnectionValues) => ({ chosen, environment: chooseEnvironment(chosen, surroundings) })
  const ofHolder = (): ReturnType<typeof choose> | undefined => {
    try {
      return holder === undefined ? undefined : choose({ ...values, pid: String(holder.pid) })
    } catch (error) {
      // Not asked for in so many words: without it less can be said.
      if (error instanceof Fault) return undefined
      throw error
    }
  }
  const { chosen, environment } = ofHolder() ?? choose(values)
  const variables =
    root === undefined ? environment.variables : { ...environment.variables, STREAM_MANAGER_STORE_ROOT_DIR: root }
  return {
    environment: { ...environment, variables },
    workFolder: workFolderOf(chosen.pid) ?? surroundings.workFolder,
    values: chosen,
    isServers: chosen.pid !== undefined || chosen['env-file'] !== undefined
  }
}

function workFolderOf(pid: string | undefined): string | undefined {
  try {
    return pid === undefined ? undefined : readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** The bucket of the newest S3 task; tasks are JSON that any program may have written. */
async function newestBucket(
  client: StreamClient,
  { definition, storageStatus }: StreamInfo
): Promise<string | undefined> {
  if (storageStatus.newestSequenceNumber < storageStatus.oldestSequenceNumber) return undefined
  const message = await messageAt(client, definition.name, storageStatus.newestSequenceNumber)
  try {
    const task: unknown = JSON.parse(message?.payload.toString() ?? '')
    const bucket = typeof task === 'object' && task !== null && 'bucket' in task ? task.bucket : undefined
    return typeof bucket === 'string' && /^[a-z0-9.-]{3,63}$/.test(bucket) ? bucket : undefined
  } catch {
    return undefined
  }
}

interface Asked {
  readonly findings: readonly Finding[]
  readonly views: readonly StreamView[]
  readonly targets: readonly Target[]
  readonly serverVersion: string | undefined
}

/** What the running server tells. */
async function askServer(place: Place, surroundings: Surroundings): Promise<Asked> {
  const client = await prepareConnection(place.values, surroundings)()
  try {
    const infos: StreamInfo[] = []
    for (const name of await client.list()) infos.push(await client.describe(name))
    const views = infos.map(viewStream)
    const targets: Target[] = []
    for (const info of infos) {
      for (const definition of info.definition.exports) {
        const bucket = definition.kind === 's3' ? await newestBucket(client, info) : undefined
        targets.push({ subject: exportName(info.definition.name, definition.identifier), definition, bucket })
      }
    }
    const text = `it answers, with ${countText(infos.length, 'stream')}; version ${client.serverVersion}`
    return { findings: [ok('server', text)], views, targets, serverVersion: client.serverVersion }
  } finally {
    client.close()
  }
}

/** What the store tells when no server answers: the definitions. */
function askStore(place: Place, { disk }: Surroundings, reason: string): Asked {
  const remedy = 'see whether it runs and what its log says; nucleus: greengrass-cli component list'
  const server = bad('problem', 'server', reason, remedy)
  const { storeRoot } = parseConfig(place.environment.variables, place.workFolder).config
  if (!existsSync(join(storeRoot, 'streams-v1')))
    return { findings: [server], views: [], targets: [], serverVersion: undefined }
  const targets = openStoreReader(disk, storeRoot).streams.flatMap(({ definition, setAsideMs }) =>
    definition === undefined || setAsideMs !== undefined
      ? []
      : definition.exports.map((item) => ({ subject: exportName(definition.name, item.identifier), definition: item }))
  )
  return { findings: [server], views: [], targets, serverVersion: undefined }
}

async function ask(place: Place, surroundings: Surroundings): Promise<Asked> {
  try {
    return await askServer(place, surroundings)
  } catch (error) {
    if (!(error instanceof Fault) && !(error instanceof UsageProblem)) throw error
    return askStore(place, surroundings, describeError(error))
  }
}

async function checkCloud(place: Place, targets: readonly Target[], surroundings: Surroundings): Promise<Finding[]> {
  if (targets.length === 0) return []
  const { clock } = surroundings
  const { config } = parseConfig(place.environment.variables, place.workFolder)
  const probes = (await surroundings.loadProbes())({
    clock,
    environment: config.aws,
    userAgent: `edge-stream-manager-doctor/${VERSION}`
  })
  const progress = createProgress(surroundings)
  const access = await checkAccess(probes, targets, clock)
  const hasCredentials = access.some(({ subject, verdict }) => subject === 'credentials' && verdict !== 'problem')
  const hasRegion = !access.some(({ subject, verdict }) => subject === 'region' && verdict === 'problem')
  const findings: Finding[] = []
  const skewsMs: number[] = []
  for (let start = 0; start < targets.length; start += CONCURRENCY) {
    const some = targets.slice(start, start + CONCURRENCY)
    progress.update(() => `${start} of ${targets.length} destinations`)
    const results = await Promise.all(some.map((target) => checkTarget(probes, target, hasCredentials && hasRegion)))
    for (const result of results) {
      findings.push(...result.findings)
      if (result.skewMs !== undefined) skewsMs.push(result.skewMs)
    }
  }
  progress.end()
  return [...access, checkClock(skewsMs), ...findings]
}

function text(findings: readonly Finding[], place: Place, columns: number | undefined): string {
  const countOf = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length
  const summary =
    countOf('problem') + countOf('warning') === 0
      ? 'all is well'
      : `${countText(countOf('problem'), 'problem')}, ${countText(countOf('warning'), 'warning')}`
  return `looked at with the environment ${place.environment.source}; nothing was changed\n\n${findingsText(findings, columns)}\n${summary}\n`
}

function statusFindings({ report, missing }: ServerStatus): Finding[] {
  if (report !== undefined) return healthFindings(report.health)
  return missing === undefined ? [] : [missingFinding(missing)]
}

/** `doctor`: looks for what keeps the server and its exports from working. */
export const doctor: Command = {
  name: 'doctor',
  usage: '[--root <root> | --pid <process>] [--offline] [--json]',
  summary:
    'looks at server, settings, disk, clock, credentials and every destination, and says what to do; changes nothing',
  details: [
    'It sees the destinations as the server does only with the environment of the server: that of --pid, that of the',
    'process which runs on the store in --root, that of --env-file, or else that of this shell. It says which it was.',
    '--root <root>  the folder of STREAM_MANAGER_STORE_ROOT_DIR; read for the definitions when no server answers',
    '--offline      leaves the destinations alone',
    'Of Kinesis it asks for the shards, of S3 for the bucket of the newest task; of all others only for a connection.',
    'No message is sent, so that the permission to write is not tried.',
    'Exit codes: 0 no problem, 1 there is one, 64 wrong arguments.',
    ...STATUS_HELP,
    ...CONNECTION_HELP
  ],
  options: OPTIONS,
  async run(args, surroundings) {
    const { values } = parseArguments(args, OPTIONS, 0)
    const place = findPlace(values, surroundings)
    const { variables } = place.environment
    const asked = await ask(place, surroundings)
    const status = await readStatus(place.values, surroundings)
    const cloud = values.offline === true ? [] : await checkCloud(place, asked.targets, surroundings)
    const findings = [
      ...checkVersions(process.version, asked.serverVersion),
      ...asked.findings,
      ...checkSettings(variables, place.workFolder, place.isServers),
      ...checkStore(surroundings.disk, variables, place.workFolder, asked.views),
      ...cloud,
      ...checkStreams(asked.views, status),
      ...statusFindings(status)
    ]
    const exitCode = findings.some(({ verdict }) => verdict === 'problem') ? EXIT.problem : EXIT.ok
    surroundings.write(
      values.json === true
        ? `${toJson({ environment: place.environment.source, findings, exitCode }, 2)}\n`
        : text(findings, place, surroundings.columns)
    )
    return exitCode
  }
}
