import type { DomElement, DomFactory, DomNode } from '../../component/monitor/page/dom.ts'

/** A document of the test's own, as little of one as the page needs. */
export interface FakeNode extends DomElement {
  readonly tag: string
  readonly namespace: string
  readonly attributes: ReadonlyMap<string, string>
  readonly childNodes: FakeNode[]
  textContent: string | null
}

export interface FakeDocument extends DomFactory {
  /** Nodes made, and changes of any kind, so far. */
  readonly changes: number
  element(tag: string): FakeNode
}

const TEXT = '#text'

export function createFakeDocument(): FakeDocument {
  let changes = 0
  const create = (namespace: string, tag: string, text: string | null): FakeNode => {
    const attributes = new Map<string, string>()
    const childNodes: FakeNode[] = []
    let content = text
    const remove = (node: DomNode): void => {
      const index = childNodes.indexOf(node as FakeNode)
      if (index === -1) throw new Error('only a child can be removed')
      childNodes.splice(index, 1)
    }
    changes += 1
    return {
      tag,
      namespace,
      attributes,
      childNodes,
      get textContent() {
        return content
      },
      set textContent(value) {
        changes += 1
        content = value
      },
      setAttribute(name, value) {
        changes += 1
        attributes.set(name, value)
      },
      removeAttribute(name) {
        changes += 1
        attributes.delete(name)
      },
      insertBefore(node, before) {
        changes += 1
        if (childNodes.includes(node as FakeNode)) remove(node)
        const index = before === null ? childNodes.length : childNodes.indexOf(before as FakeNode)
        if (index === -1) throw new Error('the place is before a child')
        childNodes.splice(index, 0, node as FakeNode)
      },
      removeChild(node) {
        changes += 1
        remove(node)
      }
    }
  }
  return {
    get changes() {
      return changes
    },
    element: (tag) => create('', tag, null),
    createElementNS: (namespace, tag) => create(namespace, tag, null),
    createTextNode: (text) => create('', TEXT, text)
  }
}

/** The node as markup, attributes in the order of their names. */
export function markupOf(node: FakeNode): string {
  if (node.tag === TEXT) return node.textContent ?? ''
  const attributes = [...node.attributes].sort().map(([name, value]) => ` ${name}="${value}"`)
  return `<${node.tag}${attributes.join('')}>${node.childNodes.map(markupOf).join('')}</${node.tag}>`
}
