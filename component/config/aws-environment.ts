/**
 * Environment variables that cloud access depends on (behaviour 11, greengrass 3), and what for. Nothing else of the
 * environment reaches the exporter, and no value of them may be logged: several are secrets or carry passwords in URLs.
 * docs/configuration.md is made of this table.
 */
export const AWS_VARIABLE_GROUPS = [
  { names: ['AWS_REGION', 'AWS_DEFAULT_REGION'], meaning: 'Region; the first one wins' },
  {
    names: [
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN'
    ],
    meaning: 'Credentials, first choice: the token exchange service'
  },
  {
    names: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
    meaning: 'Credentials, second choice'
  },
  {
    names: ['AWS_PROFILE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'HOME'],
    meaning: 'Credentials, third choice: shared profiles'
  },
  {
    names: [
      'AWS_ENDPOINT_URL',
      'AWS_ENDPOINT_URL_KINESIS',
      'AWS_ENDPOINT_URL_S3',
      'AWS_ENDPOINT_URL_IOTSITEWISE',
      'AWS_ENDPOINT_URL_IOTANALYTICS'
    ],
    meaning: "Another endpoint than the region's, taken as it is; that of one service wins"
  },
  { names: ['AWS_GG_FIPS_MODE', 'AWS_USE_FIPS_ENDPOINT'], meaning: 'FIPS endpoints when either is `true`' },
  {
    names: ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy'],
    meaning: 'Proxy for connections to AWS services over TLS; HTTP exports connect directly'
  },
  {
    names: ['GG_ROOT_CA_PATH'],
    meaning:
      'File of certificates trusted beside the usual ones, for destinations and https proxies; read again when it changes'
  },
  { names: ['HTTP_PROXY', 'http_proxy'], meaning: 'Without effect: all connections to AWS use TLS' }
] as const

export type AwsVariable = (typeof AWS_VARIABLE_GROUPS)[number]['names'][number]

export const AWS_VARIABLES: readonly AwsVariable[] = AWS_VARIABLE_GROUPS.flatMap(({ names }) => names)

/** The values of those that are set to more than blanks, trimmed, under the variables' own names. */
export type AwsVariables = Readonly<Partial<Record<AwsVariable, string>>>
