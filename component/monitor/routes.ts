import { CONTENT_TYPES, expose, formatFor } from './exposition.ts'
import { metricFamilies } from './metrics.ts'
import type { StatusReport } from './report.ts'
import { encodeInSlices, jsonPieces, monitorTurn } from './slices.ts'

/** What a route answers with. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  /** Beside those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or slices of text in UTF-8. */
  readonly body: string | readonly Buffer[]
}

/** What a route sees of a request; GET and HEAD only, so there is no body. */
export interface MonitorRequest {
  readonly accept: string | undefined
  readonly query: URLSearchParams
  /** For whose page a browser asks; undefined when no browser does (Sec-Fetch-Site). */
  readonly fetchSite: string | undefined
}

export type Route = (request: MonitorRequest, report: () => Promise<StatusReport>) => Answer | Promise<Answer>

const JSON_TYPE = 'application/json; charset=utf-8'
const json = (status: number, value: object): Answer => ({
  status,
  contentType: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`
})

/** Large bodies of a report by their form; they go with the report. */
const bodiesOf = new WeakMap<StatusReport, Map<string, Promise<readonly Buffer[]>>>()

/** Everybody who asks for the same form of a report shares one body. */
function sharedBody(report: StatusReport, form: string, pieces: () => Iterable<string>): Promise<readonly Buffer[]> {
  const bodies = bodiesOf.get(report) ?? new Map<string, Promise<readonly Buffer[]>>()
  bodiesOf.set(report, bodies)
  const body = bodies.get(form) ?? encodeInSlices(pieces(), monitorTurn)
  bodies.set(form, body)
  return body
}

function* statusPieces(report: StatusReport): Generator<string> {
  yield* jsonPieces(report)
  yield '\n'
}

/** Everything that the listener serves, by path. A further page or document is a further line. */
export const ROUTES: Readonly<Record<string, Route>> = {
  '/': () => json(200, { routes: Object.keys(ROUTES) }),
  '/metrics': async ({ accept }, report) => {
    const format = formatFor(accept)
    const all = await report()
    const body = await sharedBody(all, format, () => expose(metricFamilies(all), format))
    return { status: 200, contentType: CONTENT_TYPES[format], body }
  },
  '/health': async (_request, report) => {
    const { health } = await report()
    return json(health.status === 'failing' ? 503 : 200, health)
  },
  '/status': async ({ query }, report) => {
    const all = await report()
    const name = query.get('stream')
    if (name === null)
      return { status: 200, contentType: JSON_TYPE, body: await sharedBody(all, 'json', () => statusPieces(all)) }
    return json(200, {
      ...all,
      streams: all.streams.filter((stream) => stream.name === name),
      unopened: all.unopened.filter((stream) => stream.name === name)
    })
  }
}

export const NOT_FOUND: Answer = json(404, { error: 'there is nothing at this path', routes: Object.keys(ROUTES) })
