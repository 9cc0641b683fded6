/*
 * What the page shows is a tree of plain values: functions make it from the state, `patch` brings the document to it. Text
 * from streams and destinations is only ever a text or an attribute, never markup.
 */

export type ViewNode = string | ViewElement

export interface ViewElement {
  readonly tag: string
  /** Among its siblings: whoever moves is still the same. */
  readonly key: string | undefined
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly ViewNode[]
}

export type AttributeValue = string | number | boolean | undefined
type Child = ViewNode | number | undefined | readonly Child[]

/**
 * An element. Attributes that are undefined or false are left out, true is an empty one; `key` is none of them. Children
 * may be lists, and undefined where there is nothing to show.
 */
export function h(
  tag: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  ...children: readonly Child[]
): ViewElement {
  const { key, ...others } = attributes
  const present = Object.entries(others).filter(([, value]) => value !== undefined && value !== false)
  return {
    tag,
    key: key === undefined ? undefined : String(key),
    attributes: Object.fromEntries(present.map(([name, value]) => [name, value === true ? '' : String(value)])),
    children: flat(children)
  }
}

function flat(children: readonly Child[]): ViewNode[] {
  return children.flatMap((child) => {
    if (child === undefined || child === '') return []
    if (typeof child === 'number') return [String(child)]
    return typeof child === 'string' || 'tag' in child ? [child] : flat(child)
  })
}

/** All text in a node, in order. */
export function textOf(node: ViewNode | readonly ViewNode[]): string {
  if (typeof node === 'string') return node
  return 'tag' in node ? node.children.map(textOf).join('') : node.map(textOf).join('')
}
