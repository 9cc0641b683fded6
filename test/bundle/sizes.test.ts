import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { replaceTable, sizeRows } from '../../scripts/sizes.ts'
import { NAME, openFolder, runPackage, VERSION } from '../helpers/device.ts'

/** Every change of the server changes its size; the table is to be renewed when it would mislead. */
const DIFFERENCE_MAX = 0.2

const kibOf = (cell: string): number => Number(cell.replace(/,| KiB/g, ''))

describe('the sizes in README.md', () => {
  it('are those of the package; scripts/sizes.ts renews them', (t) => {
    const folder = openFolder('stream-manager-sizes-')
    t.after(() => rmSync(folder, { recursive: true }))
    const output = join(folder, 'out')
    const run = runPackage(['--output', output])
    assert.equal(run.status, 0, run.stderr)
    const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')
    const section = readme.split('\n## ').find((text) => text.startsWith('Size\n'))!
    const told = [...section.matchAll(/^\| (`[^|]*`) *\| ([^|]*?) *\| ([^|]*?) *\|$/gm)].map((match) =>
      match.slice(1, 4)
    )
    const actual = sizeRows(join(output, 'artifacts', NAME, VERSION))
    assert.deepEqual(
      told.map(([file]) => file),
      actual.map(([file]) => file)
    )
    // A machine without the right strip program leaves the symbols in, and says so.
    const hasSymbols = run.stderr.includes('keeps its debug symbols')
    for (const [index, [file = '', ...cells]] of actual.entries()) {
      if (hasSymbols && file.includes('lmdb-')) continue
      for (const [column, cell] of cells.entries()) {
        const [size, listed] = [kibOf(cell), kibOf(told[index]![column + 1]!)]
        assert.ok(Math.abs(size - listed) <= Math.max(1, DIFFERENCE_MAX * size), `${file}: ${cell}, not ${listed} KiB`)
      }
    }
  })

  it('are listed for every device first, then architecture by architecture, and replace the old ones', (t) => {
    const folder = openFolder('stream-manager-sizes-')
    t.after(() => rmSync(folder, { recursive: true }))
    const artifacts = join(folder, 'artifacts')
    mkdirSync(artifacts)
    for (const file of ['lmdb-linux-arm.node', 'lmdb-linux-x64.node', 'launch.sh'])
      writeFileSync(join(artifacts, file), Buffer.alloc(1025))
    const rows = sizeRows(artifacts)
    assert.deepEqual(
      rows.map((row) => row.slice(0, 2)),
      [
        ['`launch.sh`', '2 KiB'],
        ['`lmdb-linux-x64.node`', '2 KiB'],
        ['`lmdb-linux-arm.node`', '2 KiB']
      ]
    )
    const page = replaceTable('# A\n\n## Size\n\n| a |\n| - |\n| old |\n\nText\n', [['`new`', '1 KiB', '1 KiB']])
    assert.match(page, /^# A\n\n## Size\n\n\| part .*\n\| --- .*\n\| `new` \| 1 KiB \| 1 KiB \|\n\nText\n$/)
    assert.throws(() => replaceTable('# A\n', rows), /no table of sizes/)
  })
})
