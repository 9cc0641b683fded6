import { bytesText, countText, numberText } from '../../../base/quantities.ts'
import { MESSAGE_VIEWS, payloadText, type MessageView, type ShownMessage } from '../messages.ts'
import type { StreamSnapshot } from '../snapshot.ts'
import type { Action, PageState } from '../state.ts'
import { h, type ViewElement } from '../view-node.ts'
import { clockText } from '../words.ts'
import { prose } from './prose.ts'

/** The newest messages of the selected stream, when they are asked for. */
export function messagesView({ name }: StreamSnapshot, state: PageState): ViewElement {
  const { messages, messageView } = state
  const own = messages?.stream === name ? messages.result : undefined
  const button = (action: Action, text: string, isPressed?: boolean): ViewElement =>
    h(
      'button',
      {
        type: 'button',
        'data-action': action,
        'aria-pressed': isPressed === undefined ? undefined : String(isPressed)
      },
      text
    )
  return h(
    'div',
    { key: 'messages' },
    h('h3', {}, 'Recent messages'),
    h(
      'p',
      { class: 'buttons' },
      button('messages', own?.kind === 'there' ? 'Read again' : 'Show'),
      own?.kind === 'there'
        ? h(
            'span',
            { role: 'group', 'aria-label': 'View' },
            MESSAGE_VIEWS.map((view) => button(`view-${view}`, view, view === messageView))
          )
        : undefined
    ),
    own?.kind === 'asked' ? h('p', { key: 'asked', role: 'status' }, 'Reading …') : undefined,
    own?.kind === 'failed' ? h('p', { key: 'failed', role: 'alert' }, prose(own.reason)) : undefined,
    own?.kind === 'there' ? listView(own.messages, messageView) : undefined
  )
}

function listView(messages: readonly ShownMessage[], view: MessageView): ViewElement {
  if (messages.length === 0) return h('p', {}, 'There are none.')
  return h(
    'ol',
    { class: 'messages', role: 'list' },
    messages.map((message) => {
      const { text, note } = payloadText(message, view)
      const isCut = message.bytes.length < message.sizeBytes
      const facts = [
        clockText(message.ingestTimeMs),
        bytesText(message.sizeBytes),
        isCut ? `of which ${countText(message.bytes.length, 'byte')} are shown` : undefined,
        note
      ]
      return h(
        'li',
        { key: message.sequenceNumber },
        h('h4', {}, `Message ${numberText(message.sequenceNumber)}`),
        h('p', { class: 'small' }, facts.filter((fact) => fact !== undefined).join(' · ')),
        h(
          'pre',
          { tabindex: '0', 'aria-label': `Payload of message ${message.sequenceNumber}` },
          text === '' ? ' ' : text
        )
      )
    })
  )
}
