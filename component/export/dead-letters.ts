import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { limitRepeats } from '../base/log-repeats.ts'
import type { ExportKind } from '../model/export-definition.ts'
import type { StoredMessage } from '../model/message.ts'
import type { AppendStatus } from './status-writer.ts'

/** A message that an export has skipped. */
export interface DeadLetter {
  readonly streamName: string
  readonly exportIdentifier: string
  readonly exportKind: ExportKind
  readonly message: StoredMessage
  readonly reason: string
}

/**
 * Keeps skipped messages in a stream of the device, so that somebody can mend them and append them again. It is done
 * beside the export, which never waits for it: a letter that cannot be kept is lost, and the skip is logged and counted
 * all the same. After a crash, or a replay, one may come twice.
 */
export interface DeadLetters {
  /** What is skipped in the dead-letter stream itself is not written: nothing goes round in a circle. */
  keep(letter: DeadLetter): void
}

/** Payload bytes that a letter repeats; of a larger one this is the beginning. */
export const LETTER_PAYLOAD_BYTES_MAX = 262_144
/** Letters on their way to the stream, and their bytes. More are lost: the stream takes none at present. */
const UNDER_WAY_MAX = 1_000
const UNDER_WAY_BYTES_MAX = 16_777_216
const REASON_CHARS_MAX = 1_024

/** @param append appends to a stream; resolves with the reason when it could not */
export function createDeadLetters(
  clock: Clock,
  logger: Logger,
  deadLetterStream: string,
  append: AppendStatus
): DeadLetters {
  let underWay = 0
  let underWayBytes = 0
  const log = limitRepeats(logger, clock)

  const warn = (reason: string): void => {
    log.warn('Skipped messages could not be kept in the dead-letter stream', { deadLetterStream, reason })
  }

  const write = async (payload: Buffer): Promise<void> => {
    underWay += 1
    underWayBytes += payload.length
    const reason = await append(deadLetterStream, payload)
    underWay -= 1
    underWayBytes -= payload.length
    if (reason !== undefined) warn(reason)
  }

  return {
    keep(letter) {
      if (letter.streamName === deadLetterStream) return
      if (underWay >= UNDER_WAY_MAX || underWayBytes >= UNDER_WAY_BYTES_MAX) warn('too many wait to be written')
      else void write(encodeDeadLetter(letter, clock.wallMs()))
    }
  }
}

/** @param skippedAtMs milliseconds since the epoch */
export function encodeDeadLetter(letter: DeadLetter, skippedAtMs: number): Buffer {
  const { sequenceNumber, ingestTimeMs, payload } = letter.message
  const kept = payload.subarray(0, LETTER_PAYLOAD_BYTES_MAX)
  return Buffer.from(
    JSON.stringify({
      stream: letter.streamName,
      export: letter.exportIdentifier,
      exportKind: letter.exportKind,
      sequenceNumber,
      ingestTime: ingestTimeMs,
      skippedAt: skippedAtMs,
      reason: letter.reason.slice(0, REASON_CHARS_MAX),
      payloadBytes: payload.length,
      isPayloadCut: kept.length < payload.length,
      payload: kept.toString('base64')
    })
  )
}
