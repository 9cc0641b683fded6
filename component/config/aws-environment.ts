/**
 * Environment variables that cloud access depends on (behaviour 11, greengrass 3). Nothing else of the environment
 * reaches the exporter, and no value of them may be logged: several are secrets or carry passwords in URLs.
 */
export const AWS_VARIABLES = [
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'HOME',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_KINESIS',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL_IOTSITEWISE',
  'AWS_ENDPOINT_URL_IOTANALYTICS',
  'AWS_GG_FIPS_MODE',
  'AWS_USE_FIPS_ENDPOINT',
  'GG_ROOT_CA_PATH',
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'ALL_PROXY',
  'all_proxy',
  'NO_PROXY',
  'no_proxy'
] as const

/** The values of those that are set to more than blanks, trimmed, under the variables' own names. */
export type AwsVariables = Readonly<Partial<Record<(typeof AWS_VARIABLES)[number], string>>>
