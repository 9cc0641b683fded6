import type { AwsRequestHandler } from './request-handler.ts'
import type { CredentialSource } from './credentials.ts'
import { endpointOf, regionOf, usesFips, type AwsEnvironment, type AwsService } from './environment.ts'

/** What all AWS clients share. */
export interface AwsContext {
  readonly environment: AwsEnvironment
  readonly credentials: CredentialSource
  readonly requestHandler: AwsRequestHandler
  readonly userAgent: string
}

/** Settings that every client takes; the export engine repeats requests, so the client must not. */
export interface AwsClientSettings {
  readonly region?: string
  readonly endpoint?: string
  readonly useFipsEndpoint: boolean
  /** Some operations have a host of their own, such as data.iotsitewise: not at a custom endpoint. */
  readonly disableHostPrefix: boolean
  readonly credentials: CredentialSource
  readonly requestHandler: AwsRequestHandler
  readonly maxAttempts: 1
  readonly customUserAgent: string
  readonly logger: typeof SILENT
}

/** Without a logger the client writes to the console, past our log. */
const SILENT = {
  debug: (): void => undefined,
  info: (): void => undefined,
  warn: (): void => undefined,
  error: (): void => undefined
}

/** Where and how a service is reached. A custom endpoint is taken as it is, also in FIPS mode. */
export function awsClientSettings(context: AwsContext, service: AwsService): AwsClientSettings {
  const region = regionOf(context.environment)
  const endpoint = endpointOf(context.environment, service)
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    disableHostPrefix: endpoint !== undefined,
    useFipsEndpoint: endpoint === undefined && usesFips(context.environment),
    credentials: remembering(context.credentials),
    requestHandler: context.requestHandler,
    maxAttempts: 1,
    customUserAgent: context.userAgent,
    logger: SILENT
  }
}

/**
 * Tells the client that the source remembers credentials by itself. The client would keep its own copy until five minutes
 * before the expiry, without one for ever, and so go on with credentials that were revoked or rotated.
 */
function remembering(credentials: CredentialSource): CredentialSource {
  return Object.assign(() => credentials(), { memoized: true })
}
