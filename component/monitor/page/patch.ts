import type { DomElement, DomFactory, DomNode } from './dom.ts'
import type { ViewElement, ViewNode } from './view-node.ts'

const HTML = 'http://www.w3.org/1999/xhtml'
const SVG = 'http://www.w3.org/2000/svg'

/** A node of the document and what it shows. */
interface Mounted {
  readonly dom: DomNode
  view: ViewNode
  children: Mounted[]
}

/** A part of the document that shows what it was told last. */
export interface Mount {
  show(views: readonly ViewNode[]): void
}

/**
 * Takes over the children of `root`, which must be empty. Nodes that stay the same are not touched, so that the focus, a
 * selection, and what a screen reader is reading stay where they are; attributes that the views do not mention, such as
 * `open` of a `details`, are the reader's.
 */
export function mount(factory: DomFactory, root: DomElement): Mount {
  let shown: Mounted[] = []
  return {
    show(views) {
      shown = patchChildren(factory, root, HTML, shown, views)
    }
  }
}

const keyOf = (view: ViewNode): string | undefined => (typeof view === 'string' ? undefined : view.key)

const isSame = (before: ViewNode, after: ViewNode): boolean =>
  typeof before === 'string' || typeof after === 'string'
    ? typeof before === typeof after
    : before.tag === after.tag && before.key === after.key

function patchChildren(
  factory: DomFactory,
  parent: DomNode,
  namespace: string,
  before: readonly Mounted[],
  views: readonly ViewNode[]
): Mounted[] {
  const keyed = new Map<string, Mounted>()
  for (const old of before) {
    const key = keyOf(old.view)
    if (key !== undefined) keyed.set(key, old)
  }
  const kept = new Set<Mounted>()
  const after = views.map((view, index) => {
    const key = keyOf(view)
    const old = key === undefined ? before[index] : keyed.get(key)
    if (old === undefined || kept.has(old) || !isSame(old.view, view)) return create(factory, namespace, view)
    kept.add(old)
    update(factory, namespace, old, view)
    return old
  })
  for (const old of before) if (!kept.has(old)) parent.removeChild(old.dom)
  after.forEach(({ dom }, index) => {
    const present = parent.childNodes[index]
    if (present !== dom) parent.insertBefore(dom, present ?? null)
  })
  return after
}

function create(factory: DomFactory, outer: string, view: ViewNode): Mounted {
  if (typeof view === 'string') return { dom: factory.createTextNode(view), view, children: [] }
  const namespace = view.tag === 'svg' ? SVG : outer
  const dom = factory.createElementNS(namespace, view.tag)
  for (const [name, value] of Object.entries(view.attributes)) dom.setAttribute(name, value)
  return { dom, view, children: patchChildren(factory, dom, namespace, [], view.children) }
}

function update(factory: DomFactory, outer: string, old: Mounted, view: ViewNode): void {
  const { dom, view: before } = old
  old.view = view
  if (typeof view === 'string') {
    if (before !== view) dom.textContent = view
    return
  }
  updateAttributes(dom as DomElement, before as ViewElement, view)
  const namespace = view.tag === 'svg' ? SVG : outer
  old.children = patchChildren(factory, dom, namespace, old.children, view.children)
}

function updateAttributes(dom: DomElement, before: ViewElement, after: ViewElement): void {
  for (const name of Object.keys(before.attributes)) if (!(name in after.attributes)) dom.removeAttribute(name)
  for (const [name, value] of Object.entries(after.attributes))
    if (before.attributes[name] !== value) dom.setAttribute(name, value)
}
