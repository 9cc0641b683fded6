import { sleep } from '../base/clock.ts'
import { MIB } from '../base/limits.ts'
import type { StoredMessage } from '../model/message.ts'
import type { StreamInfo } from '../model/stream-info.ts'
import type { StreamClient } from './client/client.ts'
import { ConnectionLost, RequestRefused } from './client/connection.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, prepareConnection } from './client/open.ts'
import { EXIT, integerOption, parseArguments, UsageProblem, type Command, type Surroundings } from './command.ts'
import { findNumberAt } from './find-number.ts'
import { VIEWS, type View } from './message-views.ts'
import { viewStream } from './stream-status.ts'
import { parseMoment } from './text.ts'

const LAST_DEFAULT = 10
/** Payload bytes that one read should bring, by the mean size of the messages. */
const READ_BYTES = 4 * MIB
const READ_COUNT_MAX = 1_000
/** How long a read waits for the next message; then the next read does. */
const FOLLOW_WAIT_MS = 20_000
const RECONNECT_MS = 2_000

interface Wish {
  readonly name: string
  readonly view: View
  readonly isFollowing: boolean
  /** Messages to show at most. */
  readonly count: number
}

/** As many messages as make a read of reasonable size. */
function readCount(info: StreamInfo): number {
  const { messages } = viewStream(info)
  const meanBytes = messages === 0 ? 1 : info.storageStatus.totalBytes / messages
  return Math.max(1, Math.min(READ_COUNT_MAX, Math.floor(READ_BYTES / Math.max(1, meanBytes))))
}

/** Shows messages until there are no more, or for ever. */
async function show(
  client: StreamClient,
  wish: Wish,
  position: { next: number; shown: number },
  last: number,
  surroundings: Surroundings
): Promise<void> {
  const { write, flush, interrupted } = surroundings
  const countMax = readCount(await client.describe(wish.name))
  while (!interrupted.aborted && position.shown < wish.count) {
    if (!wish.isFollowing && position.next > last) return
    const messages = await client.read(wish.name, {
      from: position.next,
      maxCount: Math.min(countMax, wish.count - position.shown),
      waitMs: wish.isFollowing ? FOLLOW_WAIT_MS : 0
    })
    if (messages.length === 0 && !wish.isFollowing) return
    for (const message of messages) write(wish.view(message))
    position.shown += messages.length
    position.next = behind(messages) ?? position.next
    await flush()
  }
}

function behind(messages: readonly StoredMessage[]): number | undefined {
  const newest = messages.at(-1)
  return newest === undefined ? undefined : newest.sequenceNumber + 1
}

/** What the options say about the first message, once the stream is known. */
type Start = (client: StreamClient, info: StreamInfo) => Promise<number>

function startOf(values: { last?: string; from?: string; at?: string; count?: string }, nowMs: number): Start {
  if ([values.last, values.from, values.at].filter((value) => value !== undefined).length > 1)
    throw new UsageProblem('--last, --from and --at exclude each other')
  const from = integerOption('from', values.from, 0, Number.MAX_SAFE_INTEGER)
  if (from !== undefined)
    return (_client, info) => Promise.resolve(Math.max(from, info.storageStatus.oldestSequenceNumber))
  if (values.at !== undefined) {
    const timeMs = parseMoment('--at', values.at, nowMs)
    return (client, info) => findNumberAt(client, info, timeMs)
  }
  const last = integerOption('last', values.last, 0, Number.MAX_SAFE_INTEGER) ?? LAST_DEFAULT
  return (_client, { storageStatus: { oldestSequenceNumber: oldest, newestSequenceNumber: newest } }) =>
    Promise.resolve(Math.max(oldest, newest + 1 - last))
}

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  follow: { type: 'boolean', short: 'f' },
  last: { type: 'string', short: 'n' },
  from: { type: 'string' },
  at: { type: 'string' },
  count: { type: 'string' },
  view: { type: 'string' },
  json: { type: 'boolean' }
} as const

function viewOf(values: { view?: string; json?: boolean }): View {
  if (values.json === true && values.view !== undefined) throw new UsageProblem('--json and --view exclude each other')
  const view = VIEWS[values.json === true ? 'lines' : (values.view ?? 'text')]
  if (view === undefined) throw new UsageProblem(`--view must be one of ${Object.keys(VIEWS).join(', ')}`)
  return view
}

/** `tail <stream>`: messages of a stream. */
export const tail: Command = {
  name: 'tail',
  usage: '<stream> [-f] [-n <count> | --from <number> | --at <time>] [--count <n>] [--view <view> | --json]',
  summary: 'shows messages of a stream, the last ones or from a number or time on, and follows it with -f',
  details: [
    '-n, --last <count>  the last so many messages; 10 by default',
    '--from <number>     from this sequence number on',
    '--at <time>         from this time on: 2026-11-24T17:00:00Z (local time without a zone), or how long ago: 15m, 12h, 7d',
    '--count <n>         at most so many messages',
    '-f, --follow        goes on with what is appended, until Ctrl-C; survives restarts of the server',
    '--view <view>       text (the default); json, indented; hex; sitewise, a line for each value; lines, as --json;',
    '                    raw, nothing but the payloads',
    '--json              a line of JSON for each message, as `salvage` writes and `append --salvaged` reads',
    ...CONNECTION_HELP
  ],
  options: OPTIONS,
  takes: 'streams',
  async run(args, surroundings) {
    const { values, positionals } = parseArguments(args, OPTIONS, 1)
    const { clock, interrupted, writeError } = surroundings
    const start = startOf(values, clock.wallMs())
    const isFollowing = values.follow === true
    const wish: Wish = {
      name: positionals[0] ?? '',
      view: viewOf(values),
      isFollowing,
      count: integerOption('count', values.count, 1, Number.MAX_SAFE_INTEGER) ?? Infinity
    }
    const open = prepareConnection(values, surroundings)
    let client = await open()
    // Ctrl-C must not wait for a read that waits.
    interrupted.addEventListener('abort', () => client.close())
    try {
      const info = await client.describe(wish.name)
      const position = { next: await start(client, info), shown: 0 }
      const last = info.storageStatus.newestSequenceNumber
      for (;;) {
        try {
          await show(client, wish, position, last, surroundings)
          return EXIT.ok
        } catch (error) {
          if (interrupted.aborted) return EXIT.ok
          if (!isFollowing || !(error instanceof ConnectionLost)) throw error
          writeError(`tail: ${error.message}; trying again\n`)
          client = await reopen(open, surroundings)
        }
      }
    } finally {
      client.close()
    }
  }
}

/** Tries until there is a server again. */
async function reopen(open: () => Promise<StreamClient>, { clock, interrupted }: Surroundings): Promise<StreamClient> {
  for (;;) {
    await sleep(clock, RECONNECT_MS, interrupted)
    try {
      return await open()
    } catch (error) {
      if (interrupted.aborted || !(error instanceof ConnectionLost) || error instanceof RequestRefused) throw error
    }
  }
}
