import { problemsOf } from './problems.ts'
import type { StreamSnapshot } from './snapshot.ts'
import type { PageState } from './state.ts'
import type { ViewNode } from './view-node.ts'
import { attentionView } from './views/attention.ts'
import { detailView } from './views/detail.ts'
import { eventsView } from './views/events.ts'
import { exportsView } from './views/exports.ts'
import { statusView } from './views/status.ts'
import { STREAMS_SHOWN_MAX, streamsView } from './views/streams.ts'

/** The whole page below its title. */
export function pageView(state: PageState): readonly ViewNode[] {
  const { snapshot } = state
  if (snapshot === undefined) return [statusView(state, [])]
  const problems = problemsOf(snapshot)
  const streams = shownStreams(state, new Set(problems.map(({ stream }) => stream)))
  return [
    statusView(state, problems),
    attentionView(problems),
    detailView(state),
    streamsView(state, streams),
    exportsView(state, streams),
    eventsView(state.events)
  ].filter((view) => view !== undefined)
}

/** Those with problems first, so that none of them is cut off. */
function shownStreams({ snapshot, filter }: PageState, troubled: ReadonlySet<string | undefined>): StreamSnapshot[] {
  const wanted = filter.trim().toLowerCase()
  const found = (snapshot?.streams ?? []).filter(({ name }) => name.toLowerCase().includes(wanted))
  const isTroubled = ({ name }: StreamSnapshot): boolean => troubled.has(name)
  return [...found.filter(isTroubled), ...found.filter((stream) => !isTroubled(stream))].slice(0, STREAMS_SHOWN_MAX)
}
