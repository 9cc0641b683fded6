import { isUtf8 } from 'node:buffer'
import type { StoredMessage } from '../model/message.ts'
import { lineOf } from './message-writer.ts'
import { safeText, timeText } from './text.ts'

/** How a message is shown. */
export type View = (message: StoredMessage) => string | Buffer

const HEX_BYTES_PER_LINE = 16
/** Of a payload that is no text, in views of text. */
const BINARY_BYTES_SHOWN = 32

const head = ({ sequenceNumber, ingestTimeMs }: StoredMessage): string => `${sequenceNumber}  ${timeText(ingestTimeMs)}`

function payloadText(payload: Buffer): string {
  if (isUtf8(payload)) return safeText(payload.toString())
  const shown = payload.subarray(0, BINARY_BYTES_SHOWN)
  return `(${payload.length} bytes that are no text) ${shown.toString('hex')}${shown.length < payload.length ? '…' : ''}`
}

function textView(message: StoredMessage): string {
  return `${head(message)}  ${payloadText(message.payload)}\n`
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString())
  } catch {
    return undefined
  }
}

/** Indented, with what could drive a terminal escaped; the line breaks are our own. */
function jsonView(message: StoredMessage): string {
  const value = parsed(message.payload)
  if (value === undefined) return textView(message)
  const lines = JSON.stringify(value, null, 2).split('\n').map(safeText)
  return `${head(message)}\n${lines.join('\n')}\n`
}

function hexView(message: StoredMessage): string {
  const { payload } = message
  const lines = [`${head(message)}  ${payload.length} bytes`]
  for (let offset = 0; offset < payload.length; offset += HEX_BYTES_PER_LINE) {
    const bytes = [...payload.subarray(offset, offset + HEX_BYTES_PER_LINE)]
    const hex = bytes.map(
      (byte, index) => `${index === HEX_BYTES_PER_LINE / 2 ? ' ' : ''}${byte.toString(16).padStart(2, '0')} `
    )
    const text = bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(
      `  ${offset.toString(16).padStart(8, '0')}  ${hex.join('').padEnd(HEX_BYTES_PER_LINE * 3 + 1)} |${text}|`
    )
  }
  return `${lines.join('\n')}\n`
}

type Loose = Readonly<Record<string, unknown>>

const asObject = (value: unknown): Loose | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : undefined

const shown = (value: unknown): string =>
  safeText(typeof value === 'string' ? value : value === undefined ? 'none' : JSON.stringify(value))

/** Seconds and nanoseconds as a time; what is no time as it is. */
function sitewiseTime(value: unknown): string {
  const { timeInSeconds, offsetInNanos } = asObject(value) ?? {}
  if (typeof timeInSeconds !== 'number') return 'no time'
  const millis = typeof offsetInNanos === 'number' ? Math.floor(offsetInNanos / 1e6) : 0
  return timeText(timeInSeconds * 1000 + millis)
}

/** A line for each value of a PutAssetPropertyValueEntry (protocol 12). */
function sitewiseView(message: StoredMessage): string {
  const entry = asObject(parsed(message.payload))
  const values = entry?.['propertyValues']
  if (entry === undefined || !Array.isArray(values))
    return `${head(message)}  no SiteWise entry: ${payloadText(message.payload)}\n`
  const { propertyAlias, assetId, propertyId } = entry
  const property = propertyAlias === undefined ? `${shown(assetId)}/${shown(propertyId)}` : shown(propertyAlias)
  const lines = values.map((item: unknown) => {
    const { value, timestamp, quality } = asObject(item) ?? {}
    const [variant] = Object.values(asObject(value) ?? {})
    return `${head(message)}  ${property}  ${shown(variant)}  ${quality === undefined ? 'GOOD' : shown(quality)}  at ${sitewiseTime(timestamp)}\n`
  })
  return lines.join('')
}

/** By the name in `--view`. */
export const VIEWS: Readonly<Record<string, View>> = {
  text: textView,
  json: jsonView,
  hex: hexView,
  sitewise: sitewiseView,
  lines: lineOf,
  raw: ({ payload }) => payload
}
