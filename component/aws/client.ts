import { awsClientSettings, type AwsClientSettings, type AwsContext } from './client-settings.ts'
import type { CredentialSource } from './credentials.ts'
import type { AwsService } from './environment.ts'

/**
 * Errors with which services refuse credentials that have ended, were revoked, or are not theirs:
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const REFUSALS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidToken',
  'TokenRefreshRequired',
  'UnrecognizedClientException'
])

/** Where the middleware goes: around everything, so that it sees how a request ended. */
const AROUND_REQUEST = { step: 'initialize', name: 'noticeRefusals' } as const

/** The part of an AWS client that takes middleware. */
interface Client {
  readonly middlewareStack: {
    add(middleware: ReturnType<typeof noticeRefusals>, where: typeof AROUND_REQUEST): void
  }
}

/**
 * A client for exports: it tells the source when its credentials were refused. They may end before their time, or a wrong
 * clock may take them for good: the next request should not be made with them for minutes.
 * @param make makes the client of these settings, and of its service's own
 */
export function createAwsClient<Made extends Client>(
  context: AwsContext,
  service: AwsService,
  make: (settings: AwsClientSettings) => Made
): Made {
  const client = make(awsClientSettings(context, service))
  client.middlewareStack.add(noticeRefusals(context.credentials), AROUND_REQUEST)
  return client
}

function noticeRefusals(credentials: CredentialSource) {
  return <Request extends object, Answer>(next: (args: Request) => Promise<Answer>) =>
    async (args: Request): Promise<Answer> => {
      try {
        return await next(args)
      } catch (error) {
        if (error instanceof Error && REFUSALS.has(error.name)) credentials.refused?.()
        throw error
      }
    }
}
