/** A stored message as the server tells it: its beginning, if it is long. */
export interface ShownMessage {
  readonly sequenceNumber: number
  readonly ingestTimeMs: number
  readonly sizeBytes: number
  /** The first bytes of the payload. */
  readonly bytes: Uint8Array
}

export const MESSAGE_VIEWS = ['text', 'JSON', 'hex'] as const
export type MessageView = (typeof MESSAGE_VIEWS)[number]

const HEX_BYTES_PER_LINE = 16
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** The payload in one of the views. What is no UTF-8 is shown in hex, what is no JSON as text; `note` says so. */
export function payloadText(
  message: ShownMessage,
  view: MessageView
): { readonly text: string; readonly note?: string } {
  const { bytes, sizeBytes } = message
  if (view === 'hex') return { text: hexText(bytes) }
  const isCut = bytes.length < sizeBytes
  const text = utf8Of(bytes, isCut)
  if (text === undefined) return { text: hexText(bytes), note: 'no text' }
  if (view === 'text') return { text: visible(text) }
  if (!isJson(text)) return { text: visible(text), note: isCut ? 'too long to be shown as JSON' : 'no JSON' }
  return { text: visible(indented(text)) }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** JSON over several lines. Every number stays as it is written: parsed ones may lose digits. */
function indented(json: string): string {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? []
  let depth = 0
  const newLine = (): string => `\n${'  '.repeat(depth)}`
  return tokens
    .map((token, index) => {
      const isEmpty = '[{'.includes(tokens[index - 1] ?? ' ')
      if (token === '{' || token === '[') {
        depth += 1
        return '}]'.includes(tokens[index + 1] ?? ' ') ? token : token + newLine()
      }
      if (token === '}' || token === ']') {
        depth -= 1
        return isEmpty ? token : newLine() + token
      }
      if (token === ',') return token + newLine()
      return token === ':' ? ': ' : token
    })
    .join('')
}

/** @param isCut a character may be cut at the end */
function utf8Of(bytes: Uint8Array, isCut: boolean): string | undefined {
  for (let cut = 0; cut <= (isCut ? 3 : 0); cut++) {
    try {
      return UTF8.decode(bytes.subarray(0, bytes.length - cut))
    } catch {
      // One byte fewer may be whole characters.
    }
  }
  return undefined
}

/** Controls, and what turns the direction of writing, would make a text look like another one. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (char) => {
    if (char === '\n' || char === '\t') return char
    return `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  })
}

function hexText(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let offset = 0; offset < bytes.length; offset += HEX_BYTES_PER_LINE) {
    const line = [...bytes.subarray(offset, offset + HEX_BYTES_PER_LINE)]
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${offset.toString(16).padStart(4, '0')}  ${hex.padEnd(HEX_BYTES_PER_LINE * 3 - 1)}  ${text}`)
  }
  return lines.join('\n')
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** The answer to /messages; undefined for what is none. */
export function parseMessages(json: unknown): readonly ShownMessage[] | undefined {
  const { messages } = json as { readonly messages?: unknown }
  if (!Array.isArray(messages)) return undefined
  return messages.flatMap((entry: unknown) => {
    const { sequenceNumber, ingestTime, sizeBytes, payload } = entry as Readonly<Record<string, unknown>>
    if (!isCount(sequenceNumber) || !isCount(ingestTime) || !isCount(sizeBytes) || typeof payload !== 'string')
      return []
    const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))
    return [{ sequenceNumber, ingestTimeMs: ingestTime, sizeBytes, bytes }]
  })
}
