import { parseArgs } from 'node:util'

export interface Options {
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly rounds: number
  /** How long all of it may take; when that gets short, rounds are left out. */
  readonly minutes: number
  /** Messages of export backlogs. */
  readonly messages: number
  readonly storedGib: number
  /** Stored before reads: a multiple of all batches. */
  readonly storedMessages: number
  /** Without the servers of others. */
  readonly isAlone: boolean
  /** Write docs/performance.md and its charts. */
  readonly write: boolean
  /** Write them from the kept results, without measuring. */
  readonly render: boolean
  readonly install: boolean
  readonly profiles: string | undefined
  /** All that is not long otherwise. */
  readonly isFull: boolean
  readonly names: readonly string[]
}

export const USAGE = `npm run bench -- [options] [scenario...]

  --seconds N       measured time of each run (1.25)
  --warm-up N       time before it that does not count, longer in the first round (0.5)
  --rounds N        turns of each server under each load (3)
  --minutes N       when that gets short, the rest is measured in one round only (12)
  --stored-gib N    how far stores are filled to see whether that costs (1)
  --stored-messages N
                    messages in a stream before it is read, a multiple of 1,000 (100000)
  --messages N      length of the backlogs of exports (800000)
  --full            long runs: 5 rounds of 5 seconds, 10 GiB, all exports
  --alone           measures this server only
  --write           writes docs/performance.md and its charts
  --render          writes them from the kept results, without measuring
  --install         installs nats-server and redis-server from Debian where they are missing (as root)
  --profiles FOLDER CPU profiles of the server's threads during exports`

const LARGEST_BATCH = 1_000
const USUAL = { seconds: 1.25, rounds: 3, storedGib: 1, minutes: 12 }
const FULL = { seconds: 5, rounds: 5, storedGib: 10, minutes: Infinity }

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!(value > 0)) throw new Error(`--${name} must be a positive number`)
  return value
}

function multipleOfBatches(text: string | undefined): number {
  const value = positive('stored-messages', text, 100_000)
  if (value % LARGEST_BATCH !== 0) throw new Error(`--stored-messages must be a multiple of ${LARGEST_BATCH}`)
  return value
}

/** @returns undefined when help is asked for. @throws Error when an option is unknown or no number */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      'stored-gib': { type: 'string' },
      messages: { type: 'string' },
      'stored-messages': { type: 'string' },
      alone: { type: 'boolean', default: false },
      profiles: { type: 'string' },
      full: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      install: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    },
    allowPositionals: true
  })
  if (values.help) return undefined
  const usual = values.full ? FULL : USUAL
  return {
    seconds: positive('seconds', values.seconds, usual.seconds),
    warmUpSeconds: positive('warm-up', values['warm-up'], 0.5),
    rounds: Math.ceil(positive('rounds', values.rounds, usual.rounds)),
    minutes: positive('minutes', values.minutes, usual.minutes),
    messages: Math.ceil(positive('messages', values.messages, 800_000)),
    storedGib: positive('stored-gib', values['stored-gib'], usual.storedGib),
    storedMessages: multipleOfBatches(values['stored-messages']),
    isAlone: values.alone,
    write: values.write,
    render: values.render,
    install: values.install,
    profiles: values.profiles,
    isFull: values.full,
    names: positionals
  }
}
