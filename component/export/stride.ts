/**
 * How many messages to read for one request. A destination that leaves most of a batch for later, because it is paced, is
 * offered smaller ones, so that messages are not read and handed over many times before they are sent once.
 */
export interface Stride {
  readonly countMax: number
  /** Learns from a request. @param sent messages that were part of it; @param unsent messages that were left for later */
  learn(sent: number, unsent: number): void
}

export function createStride(): Stride {
  let countMax = Infinity
  return {
    get countMax() {
      return countMax
    },
    learn(sent, unsent) {
      if (unsent === 0) countMax *= 2
      else if (sent > 0) countMax = sent * 2
    }
  }
}
