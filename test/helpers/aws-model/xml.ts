/** An element of an XML document, as far as bodies of S3 need it: attributes are passed over. */
export interface XmlElement {
  readonly name: string
  readonly children: readonly XmlElement[]
  /** Its text; empty when it has children. */
  readonly text: string
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const TOKEN = /<\?[^?]*\?>|<(\/?)([A-Za-z][\w.:-]*)((?:\s+[\w.:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y

/** @returns undefined for a text that is not well formed */
export function parseXml(text: string): XmlElement | undefined {
  interface Open {
    readonly name: string
    readonly children: XmlElement[]
    text: string
  }
  const document: Open = { name: '', children: [], text: '' }
  const open: Open[] = [document]
  TOKEN.lastIndex = 0
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const token = TOKEN.exec(text)
    const current = open.at(-1)
    if (token === null || current === undefined) return undefined
    const [, closing, name, , single, characters] = token
    if (characters !== undefined) current.text += unescape(characters)
    if (name === undefined) continue
    if (closing === '/') {
      if (current.name !== name || open.length === 1) return undefined
      open.pop()
      open.at(-1)?.children.push(closed(current))
    } else if (single === '/') current.children.push({ name, children: [], text: '' })
    else open.push({ name, children: [], text: '' })
  }
  return open.length === 1 && document.children.length === 1 ? document.children[0] : undefined
}

const closed = ({ name, children, text }: XmlElement): XmlElement => ({
  name,
  children,
  text: children.length === 0 ? text : ''
})

function unescape(text: string): string {
  return text.replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      return ENTITIES[name ?? ''] ?? whole
    }
  )
}

/** Makes a text safe inside an element or attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
