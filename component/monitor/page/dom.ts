/*
 * The few parts of the document's interface that the page uses. The compiler's own declarations of it would offer the
 * names of a browser to the server, too.
 */

export interface DomNode {
  textContent: string | null
  readonly childNodes: { readonly length: number; readonly [index: number]: DomNode }
  insertBefore(node: DomNode, before: DomNode | null): unknown
  removeChild(node: DomNode): unknown
}

export interface DomElement extends DomNode {
  setAttribute(name: string, value: string): void
  removeAttribute(name: string): void
}

/** Makes nodes; a browser's `document`. */
export interface DomFactory {
  createElementNS(namespace: string, tag: string): DomElement
  createTextNode(text: string): DomNode
}
