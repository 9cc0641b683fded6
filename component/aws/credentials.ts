import { fromIni } from '@aws-sdk/credential-provider-ini'
import type { Clock } from '../base/clock.ts'
import { describeError, Fault } from '../base/fault.ts'
import { fetchContainerCredentials, type Credentials } from './container-credentials.ts'
import { credentialEndpointOf, type AwsEnvironment } from './environment.ts'

/** Gives valid credentials, asking for new ones in time. */
export interface CredentialSource {
  /** @throws Fault when there are none */
  (): Promise<Credentials>
  /** To be called when a service has refused them: they are asked for anew, but not more often than now and then. */
  readonly refused?: () => void
}

/** Fresh credentials are asked for this long before the old ones expire (behaviour 11). */
const REFRESH_BEFORE_EXPIRY_MS = 5 * 60_000
/** Credentials without an expiry, such as those of a profile, are looked at anew after this time: they may be rotated. */
const RECHECK_MS = 5 * 60_000
/**
 * A refresh that failed, or gave what is about to expire or was refused, is repeated after this time: each try may keep an
 * export for seconds.
 */
const REPEAT_REFRESH_MS = 30_000

/**
 * The credentials of this device: the container provider first, then keys in the environment, then shared profiles
 * (behaviour 11): stray files of a developer must not win over the device's own role.
 */
export function createCredentialSource(clock: Clock, environment: AwsEnvironment): CredentialSource {
  return cached(clock, () => load(clock, environment))
}

async function load(clock: Clock, environment: AwsEnvironment): Promise<Credentials> {
  const endpoint = credentialEndpointOf(environment)
  if (endpoint !== undefined) {
    return fetchContainerCredentials(clock, endpoint, environment.AWS_CONTAINER_AUTHORIZATION_TOKEN)
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const sessionToken = environment.AWS_SESSION_TOKEN
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  }
  return loadProfile(environment)
}

async function loadProfile(environment: AwsEnvironment): Promise<Credentials> {
  const { AWS_PROFILE: profile, AWS_SHARED_CREDENTIALS_FILE: filepath, AWS_CONFIG_FILE: configFilepath } = environment
  try {
    return await fromIni({
      ignoreCache: true,
      ...(profile === undefined ? {} : { profile }),
      ...(filepath === undefined ? {} : { filepath }),
      ...(configFilepath === undefined ? {} : { configFilepath })
    })()
  } catch (error) {
    throw new Fault(`CredentialsError: no credentials (${describeError(error)})`, error)
  }
}

/** All times are milliseconds since the epoch. */
interface Held {
  readonly credentials: Credentials
  readonly askedMs: number
  readonly expiresMs: number
  readonly refreshMs: number
}

/** Remembers credentials until shortly before they expire. One request at a time, however many ask (reliability CD14). */
function cached(clock: Clock, fetch: () => Promise<Credentials>): CredentialSource {
  let held: Held | undefined
  let asking: Promise<Credentials> | undefined

  const ask = async (): Promise<Credentials> => {
    try {
      const credentials = await fetch()
      const expiresMs = credentials.expiration?.getTime() ?? Infinity
      const nowMs = clock.wallMs()
      const dueMs = Math.min(expiresMs - REFRESH_BEFORE_EXPIRY_MS, nowMs + RECHECK_MS)
      // A source may give what it has kept itself, which is due at once: not every request should ask for it again.
      const refreshMs = Math.max(dueMs, Math.min(expiresMs, nowMs + REPEAT_REFRESH_MS))
      held = { credentials, askedMs: nowMs, expiresMs, refreshMs }
      return credentials
    } catch (error) {
      // What has not expired yet still works.
      const nowMs = clock.wallMs()
      if (held !== undefined && nowMs < held.expiresMs) {
        held = { ...held, askedMs: nowMs, refreshMs: Math.min(held.expiresMs, nowMs + REPEAT_REFRESH_MS) }
        return held.credentials
      }
      throw error
    } finally {
      asking = undefined
    }
  }

  const give = (): Promise<Credentials> => {
    if (held !== undefined && clock.wallMs() < held.refreshMs) return Promise.resolve(held.credentials)
    return (asking ??= ask())
  }
  return Object.assign(give, {
    refused() {
      if (held === undefined) return
      held = { ...held, refreshMs: Math.min(held.refreshMs, held.askedMs + REPEAT_REFRESH_MS) }
    }
  })
}
