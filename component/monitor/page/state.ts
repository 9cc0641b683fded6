import type { PageEvent } from './events.ts'
import type { History } from './history.ts'
import type { MessageView, ShownMessage } from './messages.ts'
import type { Snapshot } from './snapshot.ts'

/** Everything that the page shows follows from this. */
export interface PageState {
  /** The last answer; undefined before the first. */
  readonly snapshot: Snapshot | undefined
  readonly history: History
  /** Of the clock of the history. */
  readonly nowMs: number
  /** Since when, and why, there is no answer; undefined as long as there is. */
  readonly silence: { readonly sinceMs: number; readonly reason: string } | undefined
  readonly isPaused: boolean
  /** Shows only streams with this in their names. */
  readonly filter: string
  /** Name of the stream whose details are shown. */
  readonly selected: string | undefined
  /** Newest first. */
  readonly events: readonly PageEvent[]
  readonly messageView: MessageView
  /** Of the selected stream, once they were asked for. */
  readonly messages: { readonly stream: string; readonly result: MessagesResult } | undefined
}

export type MessagesResult =
  | { readonly kind: 'asked' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'there'; readonly messages: readonly ShownMessage[] }

/** What a button does: the value of its attribute `data-action`. */
export type Action = 'pause' | 'messages' | `view-${MessageView}`

/** Where a link to a stream's details leads. */
export function linkTo(stream: string): string {
  return `#stream=${encodeURIComponent(stream)}`
}

/** The stream that a fragment of an address names; undefined for any other text. */
export function linkedStream(fragment: string): string | undefined {
  const encoded = /^#stream=(.+)$/.exec(fragment)?.[1]
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}
