import { IoTSiteWiseClient } from '@aws-sdk/client-iotsitewise'
import { AwsRequestHandler, awsClientSettings, type CredentialSource } from '../../component/aws/index.ts'
import { answerJson, answerRestError } from './aws-json.ts'
import { createGate, type Gate } from './aws-model/gate.ts'
import { answerError, type ServiceError } from './aws-model/errors.ts'
import { startScriptedServer, type ScriptedServer } from './scripted-server.ts'

interface Entry {
  readonly entryId?: unknown
  readonly assetId?: string
  readonly propertyId?: string
  readonly propertyAlias?: string | null
  readonly propertyValues?: readonly {
    readonly value: Readonly<Record<string, unknown>>
    readonly timestamp: { readonly timeInSeconds: number; readonly offsetInNanos?: number }
  }[]
}

/** A stand-in for IoT SiteWise that is as strict as the service, and stricter where its answer would tell nothing. */
export interface StrictSiteWise {
  readonly server: ScriptedServer
  /** Checks signature and form of each request. */
  readonly gate: Gate
  /** Latest value of each property and time, `property@seconds.nanos`, as a JSON text. */
  readonly kept: ReadonlyMap<string, string>
  /** What no client should ever do. */
  readonly violations: readonly string[]
  /** Sizes of the accepted requests, in entries. */
  readonly sizes: readonly number[]
  /** Entries, of any accepted request, in order. */
  readonly entries: readonly Entry[]
  /** Fails single entries: the error code by address, or undefined. */
  failMessage: (address: string) => string | undefined
  /** Refuses the whole request when it holds such an address. */
  isPoison: (address: string) => boolean
  /** The error with which such a request is refused. */
  poison: ServiceError
}

/** A client as the exporter makes it. */
export function localSiteWiseClient(
  endpoint: string,
  credentials: CredentialSource = () => Promise.resolve({ accessKeyId: 'id', secretAccessKey: 'secret' })
): IoTSiteWiseClient {
  return new IoTSiteWiseClient(
    awsClientSettings(
      {
        environment: { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL_IOTSITEWISE: endpoint },
        credentials,
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

/** Rules that the model does not hold: https://docs.aws.amazon.com/iot-sitewise/latest/APIReference/API_PutAssetPropertyValueEntry.html */
function violationsOf(entries: readonly Entry[]): string[] {
  const ids = entries.map((entry) => entry.entryId)
  const points = entries.flatMap(pointsOf)
  const values = entries.flatMap(({ propertyValues = [] }) => propertyValues.map(({ value }) => value))
  const rules: Record<string, boolean> = {
    'ids are unique': new Set(ids).size === ids.length,
    'no point is written twice': new Set(points).size === points.length,
    'a value is of one kind': values.every(
      (value) => Object.values(value).filter((each) => each !== null).length === 1
    ),
    'a property has one address': entries.every(
      ({ assetId, propertyId, propertyAlias }) =>
        ((propertyAlias ?? undefined) !== undefined) !== (assetId !== undefined && propertyId !== undefined)
    )
  }
  return Object.entries(rules).flatMap(([rule, isKept]) => (isKept ? [] : [rule]))
}

export async function startStrictSiteWise(): Promise<StrictSiteWise> {
  const server = await startScriptedServer()
  const gate = createGate('iotsitewise', ['BatchPutAssetPropertyValue'])
  const kept = new Map<string, string>()
  const violations: string[] = []
  const sizes: number[] = []
  const accepted: Entry[] = []
  const strict: StrictSiteWise = {
    server,
    gate,
    kept,
    get violations() {
      return [...gate.violations, ...violations]
    },
    sizes,
    entries: accepted,
    failMessage: () => undefined,
    isPoison: () => false,
    poison: { name: 'InvalidRequestException', status: 400 }
  }
  server.script = [
    (request, response) => {
      if (gate.refuses(request, response)) return
      const { entries } = JSON.parse(request.body.toString()) as { entries: Entry[] }
      const broken = violationsOf(entries)
      violations.push(...broken)
      if (broken.length > 0) {
        answerRestError('InvalidRequestException', broken.join(', '))(request, response)
        return
      }
      if (entries.some((entry) => strict.isPoison(addressOf(entry)))) {
        answerError(gate.model, strict.poison, response)
        return
      }
      sizes.push(entries.length)
      const errorEntries = entries.flatMap((entry) => {
        const errorCode = strict.failMessage(addressOf(entry))
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
