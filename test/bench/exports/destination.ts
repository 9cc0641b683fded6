import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'

/** What the endpoint stands in for; a hanging one takes requests and never answers. */
export type EndpointKind = 'kinesis' | 'http' | 's3' | 'hanging'

/** What an endpoint has received so far. */
export interface Received {
  readonly records: number
  /** Of request bodies. */
  readonly bytes: number
  readonly requests: number
  /** Uploads that were completed. */
  readonly done: number
}

/** A destination on loopback, in a process of its own. */
export interface Destination {
  readonly origin: string
  received(): Promise<Received>
  stop(): Promise<void>
}

export async function startDestination(kind: EndpointKind): Promise<Destination> {
  const child = fork(join(import.meta.dirname, 'endpoint.ts'), [kind], { execArgv: ['--import', 'tsx'] })
  const [port] = (await once(child, 'message')) as [number]
  // It stands for another machine, which takes no processor time from the server: nor do the collections of its heap.
  for (const thread of readdirSync(`/proc/${child.pid}/task`))
    setPriority(Number(thread), constants.priority.PRIORITY_LOW)
  return {
    origin: `http://127.0.0.1:${port}`,
    async received() {
      const answer = once(child, 'message')
      child.send('received')
      return ((await answer) as [Received])[0]
    },
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}
