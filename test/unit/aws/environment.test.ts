import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AwsRequestHandler,
  awsClientSettings,
  credentialEndpointOf,
  type AwsEnvironment
} from '../../../component/aws/index.ts'

function settings(environment: AwsEnvironment): ReturnType<typeof awsClientSettings> {
  const requestHandler = new AwsRequestHandler(environment)
  const credentials = (): Promise<never> => Promise.reject(new Error('not asked'))
  return awsClientSettings({ environment, credentials, requestHandler, userAgent: 'u' }, 'KINESIS')
}

test('the region is AWS_REGION, then AWS_DEFAULT_REGION', () => {
  assert.equal(settings({ AWS_REGION: 'a', AWS_DEFAULT_REGION: 'b' }).region, 'a')
  assert.equal(settings({ AWS_DEFAULT_REGION: 'b' }).region, 'b')
  assert.equal(settings({}).region, undefined)
})

test("a service's own endpoint wins over the common one", () => {
  assert.equal(settings({ AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_KINESIS: 'http://k' }).endpoint, 'http://k')
  assert.equal(settings({ AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_S3: 'http://s' }).endpoint, 'http://all')
  assert.equal(settings({}).endpoint, undefined)
})

test('either variable selects FIPS endpoints, but a custom endpoint is taken as it is', () => {
  assert.equal(settings({ AWS_GG_FIPS_MODE: 'true' }).useFipsEndpoint, true)
  assert.equal(settings({ AWS_USE_FIPS_ENDPOINT: 'TRUE' }).useFipsEndpoint, true)
  assert.equal(settings({ AWS_USE_FIPS_ENDPOINT: 'false' }).useFipsEndpoint, false)
  assert.equal(settings({ AWS_GG_FIPS_MODE: 'true', AWS_ENDPOINT_URL: 'http://all' }).useFipsEndpoint, false)
})

test('a custom endpoint gets no prefix to its host', () => {
  assert.equal(settings({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }).disableHostPrefix, true)
  assert.equal(settings({}).disableHostPrefix, false)
})

test('the client repeats nothing by itself', () => {
  assert.equal(settings({}).maxAttempts, 1)
})

test('the credential endpoint is the full URI, or the relative one at the container host', () => {
  assert.equal(
    credentialEndpointOf({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://localhost:1/' }),
    'http://localhost:1/'
  )
  assert.equal(credentialEndpointOf({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/x' }), 'http://169.254.170.2/x')
  assert.equal(credentialEndpointOf({}), undefined)
})
