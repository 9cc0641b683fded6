/**
 * The place of one request among the answers of its connection, from its arrival until its answer leaves. The fields
 * are the business of `createAnswers`.
 */
export abstract class Turn {
  /** Equal for equal request ids, and hardly ever for others. */
  readonly idHash: number
  /** Monotonic time from which its deadline counts; Infinity while a read waits for messages, as long as its client asked. */
  startedMs: number
  isAnswered = false
  /** The open request that came before with an equal id. */
  previous: Turn | undefined = undefined
  following: Turn | undefined = undefined
  /** Another open request whose id shares its place in the table. */
  neighbour: Turn | undefined = undefined

  constructor(idHash: number, startedMs: number) {
    this.idHash = idHash
    this.startedMs = startedMs
  }

  /** Hands the answer over to be sent. */
  abstract leave(): void
}
