import type { CredentialSource } from './credentials.ts'

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
export const AROUND_REQUEST = { step: 'initialize', name: 'noticeRefusals' } as const

/**
 * Middleware of an AWS client that tells the source when its credentials were refused. They may end before their time, or
 * a wrong clock may take them for good: the next request should not be made with them for minutes.
 */
export function noticeRefusals(credentials: CredentialSource) {
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
