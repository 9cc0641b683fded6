import { countText } from '../../base/quantities.ts'
import { STATE_TEXT, type ExportSnapshot, type Snapshot } from './snapshot.ts'

/** Something that happened while the page was open. */
export interface PageEvent {
  readonly atMs: number
  readonly text: string
}

/** More are forgotten, oldest first. */
export const EVENTS_MAX = 50

interface Change {
  readonly stream: string
  readonly before: ExportSnapshot
  readonly after: ExportSnapshot
}

/** What has changed between two moments, for people: no change of mere activity. */
export function eventsBetween(before: Snapshot, after: Snapshot): readonly PageEvent[] {
  const earlier = new Map(before.streams.map((stream) => [stream.name, stream]))
  const present = new Set(after.streams.map(({ name }) => name))
  const texts = after.streams.flatMap((stream) => {
    const old = earlier.get(stream.name)
    if (old === undefined) return [`Stream ${stream.name} was created`]
    const problem =
      stream.problem !== old.problem && stream.problem !== undefined
        ? [`Appends to ${stream.name} fail: ${stream.problem}`]
        : []
    const healed =
      old.problem !== undefined && stream.problem === undefined ? [`Appends to ${stream.name} work again`] : []
    const exports = stream.exports.flatMap((now) => {
      const then = old.exports.find(({ identifier }) => identifier === now.identifier)
      if (then === undefined) return [`Export ${now.identifier} of ${stream.name} was added`]
      return changesOf({ stream: stream.name, before: then, after: now })
    })
    return [...problem, ...healed, ...exports]
  })
  const gone = [...earlier.keys()].filter((name) => !present.has(name)).map((name) => `Stream ${name} was deleted`)
  return [...texts, ...gone].map((text) => ({ atMs: after.takenAtMs, text }))
}

function changesOf({ stream, before, after }: Change): string[] {
  const name = `Export ${after.identifier} of ${stream}`
  const texts: string[] = []
  const isWrong = (of: ExportSnapshot): boolean => of.state === 'failing' || of.state === 'unavailable'
  if (isWrong(after) && after.error !== before.error)
    texts.push(`${name} fails: ${after.error ?? STATE_TEXT[after.state]}`)
  else if (isWrong(before) && !isWrong(after) && after.state !== 'disabled') texts.push(`${name} works again`)
  if (after.state === 'disabled' && before.state !== 'disabled') texts.push(`${name} was disabled`)
  if (before.state === 'disabled' && after.state !== 'disabled') texts.push(`${name} was enabled`)
  const skipped = after.skippedMessages - before.skippedMessages
  if (skipped > 0) texts.push(`${name} has skipped ${countText(skipped, 'message')}`)
  const dropped = after.droppedMessages - before.droppedMessages
  if (dropped > 0) {
    const [were, them] = dropped === 1 ? ['was', 'it'] : ['were', 'them']
    texts.push(
      `${countText(dropped, 'message')} of ${stream} ${were} lost before export ${after.identifier} got to ${them}`
    )
  }
  return texts
}
