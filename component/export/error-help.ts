import type { ExportKind } from '../model/export-definition.ts'
import { KNOWN_ERRORS, PROXY_USER, type ErrorHelp } from './known-errors.ts'

export type { ErrorHelp } from './known-errors.ts'

const BY_NAME: ReadonlyMap<string, ErrorHelp> = new Map(
  KNOWN_ERRORS.flatMap(([names, help]) => names.split(' ').map((name) => [name, help] as const))
)

/** Names that mean something else at one kind of destination. */
const BY_KIND: Readonly<Partial<Record<ExportKind, Readonly<Record<string, ErrorHelp>>>>> = {
  sitewise: {
    ResourceNotFoundException: {
      meaning: 'a property does not exist in IoT SiteWise, and its value was skipped',
      remedy: 'create the property, or set its alias, before its values are exported'
    }
  }
}

/** What the status of an HTTP server says more than that it is no success. */
function helpForStatus(status: number): ErrorHelp | undefined {
  if (status === 401 || status === 403)
    return {
      meaning: 'the server does not accept who sends',
      remedy: 'let the server accept requests of this device, or correct the URL of the export'
    }
  if (status >= 400 && status < 500 && status !== 408 && status !== 429)
    return {
      meaning: 'the server does not take such a request',
      remedy: 'compare URL and exportFormat of the export with what the server expects'
    }
  return undefined
}

/** @param errorMessage of an export status, `<name>: <text>`; undefined for a name that is not known */
export function helpFor(kind: ExportKind, errorMessage: string): ErrorHelp | undefined {
  const name = /^[\w.]+/.exec(errorMessage)?.[0] ?? ''
  if (name === 'ProxyError' && /\bstatus 407\b/.test(errorMessage)) return PROXY_USER
  const status = kind === 'http' && name === 'HttpError' ? Number(/\bstatus (\d{3})\b/.exec(errorMessage)?.[1]) : NaN
  return helpForStatus(status) ?? BY_KIND[kind]?.[name] ?? BY_NAME.get(name)
}
