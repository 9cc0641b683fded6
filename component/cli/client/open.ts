import { VERSION } from '../../config/index.ts'
import { PARAMETERS } from '../../config/parameters.ts'
import { Fault } from '../../base/fault.ts'
import { integerOption, UsageProblem, type Options, type Surroundings, type Variables } from '../command.ts'
import { createClient, type StreamClient } from './client.ts'
import { openConnection, RequestRefused } from './connection.ts'
import { chooseEnvironment, type EnvironmentOptions } from './environment.ts'

/** Options of every command that speaks to the server. */
export const CONNECTION_OPTIONS = {
  port: { type: 'string' },
  token: { type: 'string' },
  pid: { type: 'string' },
  'env-file': { type: 'string' },
  timeout: { type: 'string' }
} as const satisfies Options

/** What `help` says of them. */
export const CONNECTION_HELP: readonly string[] = [
  'The server is asked over TCP:',
  '  --port <n>         its port; else STREAM_MANAGER_SERVER_PORT, else 8088',
  '  --token <text>     the token it wants to see; else AWS_CONTAINER_AUTHORIZATION_TOKEN, else SVCUID',
  '  --pid <n>          takes both from the environment of that process, such as the server (needs root, or its user)',
  '  --env-file <file>  takes both from a file with a line NAME=value for each',
  '  --timeout <s>      how long to wait for an answer, 60 s by default'
]

export interface ConnectionValues extends EnvironmentOptions {
  readonly port?: string | undefined
  readonly token?: string | undefined
  readonly timeout?: string | undefined
}

const PORT_MAX = 65_535
const TIMEOUT_S = 60
const TIMEOUT_S_MAX = 3_600

/** The port of the server. @throws UsageProblem when only the server knows it */
export function portOf(values: ConnectionValues, variables: Variables): number {
  const given = integerOption('port', values.port, 1, PORT_MAX)
  if (given !== undefined) return given
  const { name, whenUnset, type } = PARAMETERS.port
  const text = variables[name]?.trim() ?? ''
  const port = text === '' ? whenUnset : type.read(text)
  if (port === undefined || port === 0)
    throw new UsageProblem(
      `${name} is ${JSON.stringify(text)}: give --port, which the log of the server tells as it starts`
    )
  return port
}

const tokenOf = (values: ConnectionValues, variables: Variables): string | undefined =>
  [values.token, variables['AWS_CONTAINER_AUTHORIZATION_TOKEN'], variables['SVCUID']].find(
    (token) => token !== undefined && token !== ''
  )

/** Opens connections as the options say. @throws UsageProblem, Fault */
export function prepareConnection(values: ConnectionValues, surroundings: Surroundings): () => Promise<StreamClient> {
  const { variables } = chooseEnvironment(values, surroundings)
  const timeoutMs = (integerOption('timeout', values.timeout, 1, TIMEOUT_S_MAX) ?? TIMEOUT_S) * 1000
  const options = {
    clock: surroundings.clock,
    host: '127.0.0.1',
    port: portOf(values, variables),
    token: tokenOf(values, variables),
    sdkVersion: `cli-${VERSION}`,
    timeoutMs
  }
  return async () => {
    try {
      return createClient(await openConnection(options))
    } catch (error) {
      if (!(error instanceof RequestRefused) || error.kind !== 'unauthorized') throw error
      const advice =
        options.token === undefined ? 'give a token with --token or --pid' : 'the token is not, or no longer, valid'
      throw new Fault(`the server admits only clients that Greengrass knows (${error.message}): ${advice}`, error)
    }
  }
}

/** Runs `use` with a client, and closes the connection however it ends. */
export async function withClient<Value>(
  values: ConnectionValues,
  surroundings: Surroundings,
  use: (client: StreamClient) => Promise<Value>
): Promise<Value> {
  const client = await prepareConnection(values, surroundings)()
  try {
    return await use(client)
  } finally {
    client.close()
  }
}
