import { h, type ViewElement, type ViewNode } from '../view-node.ts'

/** A row: its key and a cell for each column. The first cell names the row. */
export interface Row {
  readonly key: string
  readonly cells: readonly (ViewNode | readonly ViewNode[])[]
  readonly isSelected?: boolean
}

/**
 * A table, which becomes a list of cards on a narrow screen. The roles are written out, because browsers forget that a
 * table is one when its parts are laid out as something else.
 */
export function table(caption: string, columns: readonly string[], rows: readonly Row[]): ViewElement {
  const head = columns.map((column) => h('th', { scope: 'col', role: 'columnheader' }, column))
  return h(
    'table',
    { role: 'table' },
    h('caption', { class: 'hidden' }, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head)),
    h(
      'tbody',
      { role: 'rowgroup' },
      rows.map(({ key, cells, isSelected = false }) =>
        h(
          'tr',
          { key, role: 'row', class: isSelected ? 'selected' : undefined },
          cells.map((cell, index) =>
            index === 0
              ? h('th', { scope: 'row', role: 'rowheader' }, cell)
              : h('td', { role: 'cell', 'data-label': columns[index] }, cell)
          )
        )
      )
    )
  )
}
