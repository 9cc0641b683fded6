import http from 'node:http'
import https from 'node:https'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'

/** Temporary credentials. They live in memory only (reliability 6.2 K4). */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** Absent: they do not expire. */
  readonly expiration?: Date
}

/** The token exchange service asks the cloud, which takes its time on a slow line. */
const ANSWER_TIMEOUT_MS = 20_000
const ANSWER_BYTES_MAX = 64 * 1024

/**
 * Asks the container credential endpoint, on Greengrass the token exchange service.
 * @param token sent as the Authorization header
 * @throws Fault whose message names neither token nor credentials
 */
export async function fetchContainerCredentials(
  clock: Clock,
  endpoint: string,
  token: string | undefined
): Promise<Credentials> {
  if (!URL.canParse(endpoint)) throw new Fault('CredentialsError: the credential endpoint is not a URL')
  let text: string
  try {
    text = await get(clock, new URL(endpoint), token)
  } catch (error) {
    if (error instanceof Fault) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
    throw new Fault(`CredentialsError: the credential endpoint cannot be reached (${code})`, error)
  }
  return parseCredentials(text)
}

function get(clock: Clock, url: URL, token: string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    // A connection of its own each time: the endpoint is asked about once an hour.
    const request = (url.protocol === 'https:' ? https : http).get(url, {
      agent: false,
      headers: token === undefined ? {} : { authorization: token }
    })
    const timer = clock.after(ANSWER_TIMEOUT_MS, () =>
      request.destroy(new Fault('CredentialsError: the credential endpoint does not answer'))
    )
    request.on('close', () => timer.cancel())
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX) request.destroy(new Fault('CredentialsError: the answer is too long'))
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString())
        else
          reject(
            new Fault(`CredentialsError: the credential endpoint answered with status ${response.statusCode ?? 0}`)
          )
      })
    })
  })
}

function parseCredentials(text: string): Credentials {
  const invalid = new Fault('CredentialsError: the answer of the credential endpoint is not valid')
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw invalid
  }
  // That is how nucleus lite answers, with status 200, while it cannot reach the cloud (greengrass 4).
  if (answer === null)
    throw new Fault('CredentialsError: the credential endpoint has no credentials now; it may not reach the cloud')
  if (typeof answer !== 'object') throw invalid
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = answer as Record<string, unknown>
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string') throw invalid
  const expiration = typeof Expiration === 'string' ? new Date(Expiration) : undefined
  if (expiration !== undefined && Number.isNaN(expiration.getTime())) throw invalid
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof Token === 'string' ? { sessionToken: Token } : {}),
    ...(expiration === undefined ? {} : { expiration })
  }
}
