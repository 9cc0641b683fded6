import type { Result } from '../model/failure.ts'
import type { ExportStatus } from '../model/stream-info.ts'
import type { DefinitionRules, ParsedRequest } from '../protocol/index.ts'
import type { Registry } from '../stream/index.ts'

/** What the operations work on. */
export interface Services {
  readonly registry: Registry
  readonly definitionRules: DefinitionRules
  /** The exports of a stream as describe reports them. */
  exportStatuses(streamId: string): readonly ExportStatus[]
  /** Told of every message that a client has appended, with the bytes of its payload. */
  readonly appended: (payloadBytes: number) => void
}

/** The side of a connection that an operation sees. */
export interface Caller {
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
  /** Resolves with true once `bytes` of memory are set aside for this answer, with false when the client has gone. */
  reserve(bytes: number): Promise<boolean>
  /** Memory to put messages into, good until the answer is given. Asking again gives the former one up. */
  memory(bytes: number): Buffer
}

/** One operation of the protocol: from the payload of its request to the frame of its answer. */
export interface Operation<Request, Value> {
  readonly parse: (payload: Buffer, services: Services) => ParsedRequest<Request>
  /** Calls `done` once, possibly at once. Faults of the surroundings arrive there as failures. */
  readonly handle: (request: Request, services: Services, caller: Caller, done: (result: Result<Value>) => void) => void
  /** @param allocate gives memory for a large frame, which may take several turns to write */
  readonly encode: (requestId: string, value: Value, allocate: (bytes: number) => Buffer) => Buffer | Promise<Buffer>
}
