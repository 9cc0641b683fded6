import { describeError, Fault } from '../base/fault.ts'
import { bytesText, countText, numberText } from '../base/quantities.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { RequestRefused } from './client/connection.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, withClient } from './client/open.ts'
import { EXIT, parseArguments, type Command } from './command.ts'
import { definitionToYaml } from './definition-file.ts'
import { viewStream, type StreamView } from './stream-status.ts'
import { without } from './without.ts'

const OPTIONS = { ...CONNECTION_OPTIONS, yes: { type: 'boolean' } } as const

/** What is gone when the messages are. */
function losses({ info, messages, exports }: StreamView): string[] {
  const lines = [`  ${countText(messages, 'message')}, ${bytesText(info.storageStatus.totalBytes)}`]
  for (const { definition, lagMessages } of exports) {
    const unsent = lagMessages > 0 ? `, of which ${numberText(lagMessages)} were not sent yet` : ''
    const tasks = definition.kind === 's3' && lagMessages > 0 ? '; unfinished uploads end as Canceled' : ''
    lines.push(`  position and counters of the export ${JSON.stringify(definition.identifier)}${unsent}${tasks}`)
  }
  return lines
}

const unconfirmed = (what: string, view: StreamView): string =>
  `${what} would lose:\n${losses(view).join('\n')}\nNothing was done: add --yes to do it.\n`

/** `delete <stream>`. */
export const remove: Command = {
  name: 'delete',
  usage: '<stream> --yes',
  summary: 'deletes a stream with all of its messages',
  details: ['Without --yes it tells what would be lost, and does nothing (exit code 64).', ...CONNECTION_HELP],
  options: OPTIONS,
  takes: 'streams',
  async run(args, surroundings) {
    const { values, positionals } = parseArguments(args, OPTIONS, 1)
    const [name = ''] = positionals
    return withClient(values, surroundings, async (client) => {
      if (values.yes !== true) {
        const view = viewStream(await client.describe(name))
        surroundings.writeError(unconfirmed(`deleting ${JSON.stringify(name)}`, view))
        return EXIT.usage
      }
      await client.remove(name)
      surroundings.write(`stream ${JSON.stringify(name)} deleted\n`)
      return EXIT.ok
    })
  }
}

/** Numbers begin at 0 again: an export that was to start at a later one would wait for it, and skip what comes before. */
function withoutStarts(definition: StreamDefinition): StreamDefinition {
  const exports = definition.exports.map((item) => (item.kind === 's3' ? item : without(item, 'startSequenceNumber')))
  return { ...definition, exports }
}

/** `purge <stream>`: the protocol has no operation for it, so that the stream is deleted and made anew. */
export const purge: Command = {
  name: 'purge',
  usage: '<stream> --yes',
  summary: 'empties a stream: deletes it and creates it anew with the same definition',
  details: [
    'Without --yes it tells what would be lost, and does nothing (exit code 64).',
    'Numbers begin at 0 again, and so do the exports: their startSequenceNumber is left out of the new definition.',
    'For a moment the stream does not exist: appends are refused then, and a program may create it first, in its own way.',
    'To make room without that, lower the time to live for a while: update <stream> --ttl 1m',
    ...CONNECTION_HELP
  ],
  options: OPTIONS,
  takes: 'streams',
  async run(args, surroundings) {
    const { values, positionals } = parseArguments(args, OPTIONS, 1)
    const { write, writeError } = surroundings
    const [name = ''] = positionals
    return withClient(values, surroundings, async (client) => {
      const view = viewStream(await client.describe(name))
      if (values.yes !== true) {
        writeError(unconfirmed(`emptying ${JSON.stringify(name)}`, view))
        return EXIT.usage
      }
      const definition = withoutStarts(view.info.definition)
      await client.remove(name)
      try {
        await client.create(definition)
      } catch (error) {
        const reason = describeError(error)
        const isOther = error instanceof RequestRefused && reason.includes('already exists')
        const advice = isOther
          ? 'a program has created it meanwhile'
          : 'create it with `stream-manager create -f <file>` from'
        throw new Fault(
          `the stream is deleted but could not be created anew (${reason}): ${advice}\n${await definitionToYaml(definition)}`,
          error
        )
      }
      write(`stream ${JSON.stringify(name)} is empty: ${countText(view.messages, 'message')} removed\n`)
      return EXIT.ok
    })
  }
}
