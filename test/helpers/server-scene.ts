import type { TestContext } from 'node:test'
import { createByteBudget, type ByteBudget } from '../../component/base/byte-budget.ts'
import {
  admitEveryone,
  createAnswerMemory,
  listen,
  type Authenticate,
  type Listener
} from '../../component/server/index.ts'
import { CLIENT_DEFINITION_RULES } from '../../component/protocol/index.ts'
import { createPromiseGate, type PromiseGate } from './promise-gate.ts'
import { openScene, streamOf, type StreamScene } from './stream-scene.ts'
import { WireClient, type ConnectOptions } from './wire-client.ts'

/** A server in this process: real sockets and operations, a faulty disk and a clock that the test moves. */
export interface ServerScene {
  readonly streams: StreamScene
  readonly listener: Listener
  readonly frameBudget: ByteBudget
  /** Requests that have reached the streams so far. */
  readonly served: () => number
  connect(options?: Partial<ConnectOptions>): Promise<WireClient>
  /** Nothing of the present streams becomes durable until the gate is opened. */
  holdSyncs(): PromiseGate
}

export interface ServerSceneOptions {
  readonly authenticate?: Authenticate
  readonly frameMemoryBytes?: number
}

/** Starts the server; it is stopped after the test. */
export async function openServerScene(t: TestContext, options: ServerSceneOptions = {}): Promise<ServerScene> {
  const streams = await openScene()
  const { clock, logger, registry } = streams
  const frameBudget = createByteBudget(options.frameMemoryBytes ?? 64 * 1024 * 1024)
  let served = 0
  const countingRegistry = {
    ...registry,
    get(name: string) {
      served += 1
      return registry.get(name)
    }
  }
  const listener = await listen(0, {
    services: {
      registry: countingRegistry,
      exportStatuses: () => [],
      appended: () => undefined,
      definitionRules: CLIENT_DEFINITION_RULES
    },
    handshake: { serverVersion: '0.0.0', authenticate: options.authenticate ?? admitEveryone, clock },
    frameBudget,
    answerMemory: createAnswerMemory(),
    inputTurns: streams.inputTurns,
    clock,
    logger
  })
  const clients: WireClient[] = []
  t.after(async () => {
    for (const client of clients) client.socket.destroy()
    await listener.stop(0)
  })
  return {
    streams,
    listener,
    frameBudget,
    served: () => served,
    async connect(connection = {}) {
      const client = await WireClient.connect({ port: listener.port, ...connection })
      clients.push(client)
      return client
    },
    holdSyncs() {
      const gate = createPromiseGate()
      for (const name of registry.list()) {
        const { log } = streamOf(streams, name)
        const sync = log.sync.bind(log)
        log.sync = () => gate.promise.then(sync)
      }
      return gate
    }
  }
}

/** Lets sockets work until `value` has not changed for many turns of the event loop; returns it. */
export async function untilSteady(value: () => number): Promise<number> {
  let last = value()
  for (let turns = 0; turns < 300; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    if (value() !== last) turns = 0
    last = value()
  }
  return last
}
