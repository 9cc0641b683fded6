/** Where the middleware goes: before the length is taken and the request signed. */
export const BEFORE_SIGNING = { step: 'build', priority: 'high', name: 'rawBody' } as const

/**
 * Middleware of an AWS client that puts a body of our own into a request, instead of the one that the client has made of
 * the command's input: that would drop members which it does not know, or take much longer.
 */
export function rawBody(body: string | Buffer) {
  return <Request extends { readonly request: unknown }, Answer>(next: (args: Request) => Promise<Answer>) =>
    (args: Request): Promise<Answer> => {
      const request = args.request as { body?: string | Buffer }
      request.body = body
      return next(args)
    }
}
