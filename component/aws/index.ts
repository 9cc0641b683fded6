export { awsClientSettings, type AwsClientSettings, type AwsContext } from './client-settings.ts'
export { createCredentialSource, type CredentialSource } from './credentials.ts'
export { credentialEndpointOf, regionOf, type AwsEnvironment } from './environment.ts'
export { AwsRequestHandler, type AwsRequestOptions } from './request-handler.ts'
