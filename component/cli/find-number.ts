import type { StreamInfo } from '../model/stream-info.ts'
import type { StoredMessage } from '../model/message.ts'
import { RequestRefused } from './client/connection.ts'
import type { StreamClient } from './client/client.ts'

/** The message with this number, or the next one that there is and can be read. */
export async function messageAt(client: StreamClient, name: string, from: number): Promise<StoredMessage | undefined> {
  try {
    const [message] = await client.read(name, { from, maxCount: 1 })
    return message
  } catch (error) {
    if (error instanceof RequestRefused && error.kind === 'messageStoreReadError') return undefined
    throw error
  }
}

/**
 * The first number of a message that was appended at `timeMs` or later, by bisection: about 20 reads for a million
 * messages. Where the clock of the device was set back meanwhile, it is one of several such numbers.
 * @returns the number behind the newest when all are older
 */
export async function findNumberAt(
  client: StreamClient,
  { definition, storageStatus }: StreamInfo,
  timeMs: number
): Promise<number> {
  let low = storageStatus.oldestSequenceNumber
  let high = storageStatus.newestSequenceNumber + 1
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2)
    const message = await messageAt(client, definition.name, middle)
    if (message === undefined || message.ingestTimeMs >= timeMs) high = middle
    else low = message.sequenceNumber + 1
  }
  return high
}
