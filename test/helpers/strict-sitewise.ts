import { IoTSiteWiseClient } from '@aws-sdk/client-iotsitewise'
import { AwsRequestHandler, awsClientSettings } from '../../component/aws/index.ts'
import { answerJson, answerRestError, isSignedFor } from './aws-json.ts'
import { startScriptedServer, type ReceivedRequest, type ScriptedServer } from './scripted-server.ts'

interface Entry {
  readonly entryId?: unknown
  readonly assetId?: string
  readonly propertyId?: string
  readonly propertyAlias?: string
  readonly propertyValues?: readonly {
    readonly value: Readonly<Record<string, unknown>>
    readonly timestamp: { readonly timeInSeconds: number; readonly offsetInNanos?: number }
  }[]
}

/** A stand-in for IoT SiteWise that is as strict as the service, and stricter where its answer would tell nothing. */
export interface StrictSiteWise {
  readonly server: ScriptedServer
  /** Latest value of each property and time, `property@seconds.nanos`, as a JSON text. */
  readonly kept: ReadonlyMap<string, string>
  /** What no client should ever do. */
  readonly violations: readonly string[]
  /** Sizes of the accepted requests, in entries. */
  readonly sizes: readonly number[]
  /** Entries, of any accepted request, in order. */
  readonly entries: readonly Entry[]
  /** Fails single entries: the error code by address, or undefined. */
  failEntry: (address: string) => string | undefined
  /** Refuses the whole request when it holds such an address. */
  isPoison: (address: string) => boolean
}

const ENTRY_ID = /^[a-zA-Z0-9_-]{1,64}$/

/** A client as the exporter makes it. */
export function localSiteWiseClient(endpoint: string): IoTSiteWiseClient {
  return new IoTSiteWiseClient(
    awsClientSettings(
      {
        environment: { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL_IOTSITEWISE: endpoint },
        credentials: () => Promise.resolve({ accessKeyId: 'id', secretAccessKey: 'secret' }),
        requestHandler: new AwsRequestHandler({}),
        userAgent: 'test/1'
      },
      'IOTSITEWISE'
    )
  )
}

function addressOf({ assetId, propertyId, propertyAlias }: Entry): string {
  return propertyAlias ?? `${assetId ?? ''}/${propertyId ?? ''}`
}

function pointsOf(entry: Entry): string[] {
  return (entry.propertyValues ?? []).map(
    ({ timestamp }) => `${addressOf(entry)}@${timestamp.timeInSeconds}.${timestamp.offsetInNanos ?? 0}`
  )
}

/** Rules of the interface that a request breaks. */
function violationsOf(request: ReceivedRequest, entries: readonly Entry[]): string[] {
  const ids = entries.map((entry) => entry.entryId)
  const points = entries.flatMap(pointsOf)
  const rules: Record<string, boolean> = {
    'the method is POST': request.method === 'POST',
    'the path is /properties': request.url === '/properties',
    'the request is signed': isSignedFor(request, 'iotsitewise'),
    'the body is JSON': request.headers['content-type'] === 'application/json',
    'there are 1 to 10 entries': entries.length >= 1 && entries.length <= 10,
    'ids are well formed': ids.every((id) => typeof id === 'string' && ENTRY_ID.test(id)),
    'ids are unique': new Set(ids).size === ids.length,
    'there are 1 to 10 values': entries.every(({ propertyValues: { length } = [] }) => length >= 1 && length <= 10),
    'no point is written twice': new Set(points).size === points.length
  }
  return Object.entries(rules).flatMap(([rule, isKept]) => (isKept ? [] : [rule]))
}

export async function startStrictSiteWise(): Promise<StrictSiteWise> {
  const server = await startScriptedServer()
  const kept = new Map<string, string>()
  const violations: string[] = []
  const sizes: number[] = []
  const accepted: Entry[] = []
  const strict: StrictSiteWise = {
    server,
    kept,
    violations,
    sizes,
    entries: accepted,
    failEntry: () => undefined,
    isPoison: () => false
  }
  server.script = [
    (request, response) => {
      const { entries } = JSON.parse(request.body.toString()) as { entries: Entry[] }
      const broken = violationsOf(request, entries)
      violations.push(...broken)
      if (broken.length > 0 || entries.some((entry) => strict.isPoison(addressOf(entry)))) {
        answerRestError('InvalidRequestException', broken.join(', '))(request, response)
        return
      }
      sizes.push(entries.length)
      const errorEntries = entries.flatMap((entry) => {
        const errorCode = strict.failEntry(addressOf(entry))
        if (errorCode !== undefined) {
          return [{ entryId: entry.entryId, errors: [{ errorCode, errorMessage: 'told so', timestamps: [] }] }]
        }
        accepted.push(entry)
        for (const [index, point] of pointsOf(entry).entries()) {
          kept.set(point, JSON.stringify(entry.propertyValues?.[index]?.value))
        }
        return []
      })
      answerJson({ errorEntries })(request, response)
    }
  ]
  return strict
}
