/** In the order in which they count: those of https, then those of all schemes (behaviour 11). */
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'] as const

type ProxyVariable = (typeof PROXY_VARIABLES)[number]

/** The environment variable that says which proxy TLS connections take. */
export interface ProxySetting {
  readonly name: ProxyVariable
  /** Without a scheme it is http; undefined when the value is not the URL of an http or https proxy. */
  readonly url: URL | undefined
}

/** @returns undefined when no such variable is set */
export function proxySetting(variables: Readonly<Partial<Record<ProxyVariable, string>>>): ProxySetting | undefined {
  const name = PROXY_VARIABLES.find((variable) => variables[variable] !== undefined)
  const value = name === undefined ? undefined : variables[name]
  if (name === undefined || value === undefined) return undefined
  const text = value.includes('://') ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  return { name, url: url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined }
}
