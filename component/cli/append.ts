import { describeError, Fault } from '../base/fault.ts'
import { MIB } from '../base/limits.ts'
import { bytesText, countText } from '../base/quantities.ts'
import { inputLines, salvagedInput, wholeInput } from './append-input.ts'
import type { StreamClient } from './client/client.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, withClient } from './client/open.ts'
import { EXIT, parseArguments, UsageProblem, type Command, type Surroundings } from './command.ts'
import { createProgress } from './progress.ts'

/** Appends under way at a time: enough to keep the line busy. */
const WINDOW_COUNT = 64
const WINDOW_BYTES = 8 * MIB

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  text: { type: 'string' },
  lines: { type: 'boolean' },
  salvaged: { type: 'boolean' },
  json: { type: 'boolean' }
} as const

interface Appended {
  count: number
  bytes: number
  first: number | undefined
  last: number | undefined
}

/** Appends in order; stops at the first refusal. @throws Fault that says how far it came */
async function appendAll(
  client: StreamClient,
  name: string,
  payloads: AsyncIterable<Buffer>,
  done: Appended,
  surroundings: Surroundings
): Promise<void> {
  const progress = createProgress(surroundings)
  const underWay: { readonly bytes: number; readonly answer: Promise<number> }[] = []
  let bytes = 0
  const settleOldest = async (): Promise<void> => {
    const oldest = underWay.shift()
    if (oldest === undefined) return
    bytes -= oldest.bytes
    const number = await oldest.answer
    done.first ??= number
    done.last = number
    done.count += 1
    done.bytes += oldest.bytes
    progress.update(() => `${countText(done.count, 'message')}, ${bytesText(done.bytes)}`)
  }
  try {
    for await (const payload of payloads) {
      while (underWay.length >= WINDOW_COUNT || (underWay.length > 0 && bytes + payload.length > WINDOW_BYTES))
        await settleOldest()
      if (surroundings.interrupted.aborted) throw new Fault('interrupted')
      const answer = client.append(name, payload)
      // It is looked at later; until then a refusal is nobody's.
      answer.catch(() => undefined)
      underWay.push({ bytes: payload.length, answer })
      bytes += payload.length
    }
    while (underWay.length > 0) await settleOldest()
  } catch (error) {
    // What was sent before the refusal was seen may have been stored all the same.
    for (const { answer, bytes: size } of underWay) {
      const number = await answer.catch(() => undefined)
      if (number === undefined) continue
      done.first ??= number
      done.last = number
      done.count += 1
      done.bytes += size
    }
    throw error
  } finally {
    progress.end()
  }
}

async function* inputsOf(
  paths: readonly string[],
  values: { text?: string; lines?: boolean; salvaged?: boolean },
  { openInput }: Surroundings
): AsyncGenerator<Buffer> {
  if (values.text !== undefined) {
    yield Buffer.from(values.text)
    return
  }
  const take = values.salvaged === true ? salvagedInput : values.lines === true ? inputLines : wholeInput
  for (const path of paths.length === 0 ? ['-'] : paths) yield* take(openInput(path))
}

function checkWish(paths: readonly string[], values: { text?: string; lines?: boolean; salvaged?: boolean }): void {
  const ways = [values.text !== undefined, values.lines === true, values.salvaged === true].filter((isAsked) => isAsked)
  if (ways.length > 1) throw new UsageProblem('--text, --lines and --salvaged exclude each other')
  if (values.text !== undefined && paths.length > 0) throw new UsageProblem('--text and files exclude each other')
  if (values.text === '') throw new UsageProblem('a message has one byte or more')
}

/** `append <stream> [<file>…]`: messages from files, standard input or the command line. */
export const append: Command = {
  name: 'append',
  usage: '<stream> [<file>… | --text <text>] [--lines | --salvaged] [--json]',
  summary: 'appends messages: a text, whole files or standard input, their lines, or what salvage has saved',
  details: [
    'Without a file, or for the file -, standard input is read. Each file is one message, unless',
    '--lines     each of its lines that is not empty is a message, without the line break,',
    '--salvaged  or it has the lines that `salvage` and `tail --json` write.',
    'It stops at the first message that is refused, and says how many were stored. Those are not taken back.',
    ...CONNECTION_HELP
  ],
  options: OPTIONS,
  takes: 'streams',
  async run(args, surroundings) {
    const { values, positionals } = parseArguments(args, OPTIONS, [1, Infinity])
    const [name = '', ...paths] = positionals
    checkWish(paths, values)
    const done: Appended = { count: 0, bytes: 0, first: undefined, last: undefined }
    const summary = (): string => {
      const numbers =
        done.count === 1
          ? ` as number ${done.first ?? ''}`
          : done.count > 1
            ? ` as numbers ${done.first ?? ''} to ${done.last ?? ''}`
            : ''
      return `${countText(done.count, 'message')}, ${bytesText(done.bytes)}, stored in ${JSON.stringify(name)}${numbers}`
    }
    return withClient(values, surroundings, async (client) => {
      try {
        await appendAll(client, name, inputsOf(paths, values, surroundings), done, surroundings)
      } catch (error) {
        if (done.count > 0) surroundings.writeError(`append: ${summary()}, and then: ${describeError(error)}\n`)
        throw error
      } finally {
        if (values.json === true)
          surroundings.write(`${JSON.stringify({ ...done, first: done.first ?? null, last: done.last ?? null })}\n`)
      }
      if (values.json !== true) surroundings.write(`${summary()}\n`)
      return EXIT.ok
    })
  }
}
