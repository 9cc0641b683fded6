/**
 * Environment variables that cloud access depends on (behaviour 11), by their own names. A plain object, so that the main
 * thread can hand it to the exporter worker. Several values are secrets: none may be logged.
 */
export interface AwsEnvironment {
  readonly AWS_REGION?: string
  readonly AWS_DEFAULT_REGION?: string
  readonly AWS_CONTAINER_CREDENTIALS_FULL_URI?: string
  readonly AWS_CONTAINER_CREDENTIALS_RELATIVE_URI?: string
  readonly AWS_CONTAINER_AUTHORIZATION_TOKEN?: string
  readonly AWS_ACCESS_KEY_ID?: string
  readonly AWS_SECRET_ACCESS_KEY?: string
  readonly AWS_SESSION_TOKEN?: string
  readonly AWS_PROFILE?: string
  readonly AWS_CONFIG_FILE?: string
  readonly AWS_SHARED_CREDENTIALS_FILE?: string
  readonly AWS_ENDPOINT_URL?: string
  readonly AWS_ENDPOINT_URL_KINESIS?: string
  readonly AWS_ENDPOINT_URL_S3?: string
  readonly AWS_ENDPOINT_URL_IOTSITEWISE?: string
  readonly AWS_ENDPOINT_URL_IOTANALYTICS?: string
  readonly AWS_GG_FIPS_MODE?: string
  readonly AWS_USE_FIPS_ENDPOINT?: string
  /** File of additional certificates, trusted for destinations and proxies. */
  readonly GG_ROOT_CA_PATH?: string
  readonly HTTPS_PROXY?: string
  readonly https_proxy?: string
  readonly ALL_PROXY?: string
  readonly all_proxy?: string
  readonly NO_PROXY?: string
  readonly no_proxy?: string
}

/** Services with an endpoint variable of their own. */
export type AwsService = 'KINESIS' | 'S3' | 'IOTSITEWISE' | 'IOTANALYTICS'

/** The region that the nucleus sets; undefined when there is none. */
export function regionOf(environment: AwsEnvironment): string | undefined {
  return environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION
}

/** A custom endpoint: never from a stream definition, only from the service's own environment (reliability 6.2 W1). */
export function endpointOf(environment: AwsEnvironment, service: AwsService): string | undefined {
  return environment[`AWS_ENDPOINT_URL_${service}`] ?? environment.AWS_ENDPOINT_URL
}

/** Either variable selects FIPS endpoints (behaviour 11). */
export function usesFips(environment: AwsEnvironment): boolean {
  return [environment.AWS_GG_FIPS_MODE, environment.AWS_USE_FIPS_ENDPOINT].some(
    (value) => value?.toLowerCase() === 'true'
  )
}

/** URL of the service that hands out our credentials, if there is one. */
export function credentialEndpointOf(environment: AwsEnvironment): string | undefined {
  const relative = environment.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
  return (
    environment.AWS_CONTAINER_CREDENTIALS_FULL_URI ??
    (relative === undefined ? undefined : `http://169.254.170.2${relative}`)
  )
}
