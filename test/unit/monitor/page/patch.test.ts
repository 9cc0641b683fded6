import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { mount } from '../../../../component/monitor/page/patch.ts'
import { h, type ViewElement, type ViewNode } from '../../../../component/monitor/page/view-node.ts'
import { createFakeDocument, markupOf } from '../../../helpers/fake-dom.ts'

const asMarkup = (view: ViewNode): string => {
  if (typeof view === 'string') return view
  const attributes = Object.entries(view.attributes)
    .sort()
    .map(([name, value]) => ` ${name}="${value}"`)
  return `<${view.tag}${attributes.join('')}>${view.children.map(asMarkup).join('')}</${view.tag}>`
}

describe('mounted views', () => {
  it('never make text to markup', () => {
    const document = createFakeDocument()
    const root = document.element('main')
    mount(document, root).show([h('p', { title: '"><script>' }, '<img src=x onerror=alert(1)>')])
    const text = root.childNodes[0]!.childNodes[0]!
    assert.equal(text.tag, '#text')
    assert.equal(text.textContent, '<img src=x onerror=alert(1)>')
  })

  it('leave alone what stays the same', () => {
    const document = createFakeDocument()
    const root = document.element('main')
    const mounted = mount(document, root)
    const view = (): ViewElement =>
      h('ul', { class: 'list' }, h('li', { key: 'a' }, 'one'), h('li', { key: 'b' }, 'two'))
    mounted.show([view()])
    const before = document.changes
    mounted.show([view()])
    assert.equal(document.changes, before)
  })

  it('keep the node of a key when others come before it', () => {
    const document = createFakeDocument()
    const root = document.element('main')
    const mounted = mount(document, root)
    mounted.show([h('section', { key: 'streams' }, 'streams')])
    const streams = root.childNodes[0]
    const before = document.changes
    mounted.show([h('section', { key: 'attention' }), h('section', { key: 'streams' }, 'streams')])
    assert.equal(root.childNodes[1], streams)
    // The new node and its place.
    assert.equal(document.changes, before + 2)
  })

  it('leave alone attributes that the views do not mention', () => {
    const document = createFakeDocument()
    const root = document.element('main')
    const mounted = mount(document, root)
    mounted.show([h('details', { class: 'a' })])
    root.childNodes[0]?.setAttribute('open', '')
    mounted.show([h('details', { class: 'b' })])
    assert.equal(markupOf(root), '<main><details class="b" open=""></details></main>')
  })

  it('draw in the namespace of drawings, and write outside of it', () => {
    const document = createFakeDocument()
    const root = document.element('main')
    mount(document, root).show([h('figure', {}, h('svg', {}, h('path', {})), h('p', {}))])
    const [svg, text] = root.childNodes[0]?.childNodes ?? []
    assert.equal(svg?.childNodes[0]?.namespace, 'http://www.w3.org/2000/svg')
    assert.equal(text?.namespace, 'http://www.w3.org/1999/xhtml')
  })

  it('show the last of any views', () => {
    const word = fc.constantFrom('a', 'b', 'c', '')
    const { node } = fc.letrec<{ node: ViewNode; list: ViewNode[] }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.constantFrom('x', 'y'),
        fc
          .record({ tag: fc.constantFrom('p', 'li'), key: fc.option(word), title: fc.option(word), list: tie('list') })
          .map(({ tag, key, title, list }) => h(tag, { key: key ?? undefined, title: title ?? undefined }, list))
      ),
      list: fc.array(tie('node'), { maxLength: 4 })
    }))
    fc.assert(
      fc.property(fc.array(fc.array(node, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), (steps) => {
        const document = createFakeDocument()
        const root = document.element('main')
        const mounted = mount(document, root)
        for (const views of steps) {
          mounted.show(views)
          assert.equal(root.childNodes.map(markupOf).join(''), views.map(asMarkup).join(''))
        }
      })
    )
  })
})
