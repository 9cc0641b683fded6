import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { ReceivedRequest } from '../scripted-server.ts'
import type { ServiceName } from './model.ts'

/** A key that a stand-in knows. */
export interface TestKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Present for temporary credentials, which have to bring it. */
  readonly sessionToken?: string
  /** End of temporary credentials, milliseconds since the epoch. */
  readonly expiresMs?: number
}

export interface SignatureRules {
  readonly service: ServiceName
  /** Undefined: any region will do. */
  readonly region: string | undefined
  readonly keys: readonly TestKey[]
  readonly nowMs: number
  /** How far the clock of the client may be off. */
  readonly skewMsMax: number
}

/** What is wrong with a signature; the services have names of their own for it. */
export type SignatureProblem =
  | 'missing'
  | 'malformed'
  | 'unknownKey'
  | 'invalidToken'
  | 'expiredToken'
  | 'tooEarly'
  | 'tooLate'
  | 'wrongRegion'
  | 'wrongService'
  | 'mismatch'
  | 'otherContent'

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
/** Contents whose bytes are not signed. */
const UNSIGNED = new Set(['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'])

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** The region in a request's signature, as far as it has one. */
export function signedRegionOf({ authorization = '' }: ReceivedRequest['headers']): string | undefined {
  return AUTHORIZATION.exec(authorization)?.[3]
}

/**
 * Computes the signature of a request anew, as the services do (Signature Version 4):
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @returns what is wrong; undefined when the request may be served
 */
export function signatureProblem(request: ReceivedRequest, rules: SignatureRules): SignatureProblem | undefined {
  const { headers } = request
  if (headers.authorization === undefined) return 'missing'
  const [, keyId = '', day = '', region = '', service = '', signedHeaders = '', signature = ''] =
    AUTHORIZATION.exec(headers.authorization) ?? []
  const date = headerOf(headers, 'x-amz-date')
  if (signature === '' || !DATE.test(date) || !areWellChosen(signedHeaders.split(';'), headers)) return 'malformed'
  if (service !== rules.service) return 'wrongService'
  if (rules.region !== undefined && region !== rules.region) return 'wrongRegion'
  const sentMs = Date.parse(date.replace(DATE, '$1-$2-$3T$4:$5:$6Z'))
  if (sentMs < rules.nowMs - rules.skewMsMax) return 'tooLate'
  if (sentMs > rules.nowMs + rules.skewMsMax) return 'tooEarly'
  if (!date.startsWith(day)) return 'malformed'

  const key = rules.keys.find(({ accessKeyId }) => accessKeyId === keyId)
  if (key === undefined) return 'unknownKey'
  if (headers['x-amz-security-token'] !== key.sessionToken) return 'invalidToken'
  if (key.expiresMs !== undefined && rules.nowMs >= key.expiresMs) return 'expiredToken'

  const contentHash = headerOf(headers, 'x-amz-content-sha256') || sha256(request.body)
  const text = ['AWS4-HMAC-SHA256', date, `${day}/${region}/${service}/aws4_request`]
  const toSign = [...text, sha256(canonicalRequest(request, service, signedHeaders, contentHash))].join('\n')
  const signingKey = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (from, part) => hmac(from, part),
    `AWS4${key.secretAccessKey}`
  )
  if (!timingSafeEqual(hmac(signingKey, toSign), Buffer.from(signature, 'hex'))) return 'mismatch'
  return isContent(request, service, contentHash) ? undefined : 'otherContent'
}

function headerOf(headers: ReceivedRequest['headers'], name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

/** The host and all headers of AWS have to be signed, in order, and to be there. */
function areWellChosen(names: readonly string[], headers: ReceivedRequest['headers']): boolean {
  const needed = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))]
  const isSorted = names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name)
  return isSorted && needed.every((name) => names.includes(name)) && names.every((name) => headers[name] !== undefined)
}

function canonicalRequest(
  { method, url, headers }: ReceivedRequest,
  service: string,
  signedHeaders: string,
  contentHash: string
): string {
  const [path = '/', query = ''] = url.split('?')
  const lines = signedHeaders.split(';').map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}\n`)
  // Only S3 takes the path as it is; all others encode it once more.
  const place = service === 's3' ? path : path.split('/').map(encode).join('/')
  const parameters = query === '' ? [] : query.split('&').map((each) => (each.includes('=') ? each : `${each}=`))
  return [method, place, parameters.sort().join('&'), lines.join(''), signedHeaders, contentHash].join('\n')
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** S3 alone takes contents that are not signed, and insists that a request says what it has. */
function isContent({ headers, body }: ReceivedRequest, service: string, contentHash: string): boolean {
  if (service === 's3' && headers['x-amz-content-sha256'] === undefined) return false
  return (service === 's3' && UNSIGNED.has(contentHash)) || contentHash === sha256(body)
}
