import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { packageFolderOf, takeInventory } from '../../scripts/inventory.ts'
import { NOTICES_FILE, SBOM_FILE, writeNotices, writeSbom } from '../../scripts/sbom.ts'

/* What the build says it is made of, against the source maps, which another part of esbuild writes. */

const ROOT = join(import.meta.dirname, '..', '..')
const BUNDLE =
  process.env['STREAM_MANAGER_TEST_BUNDLE'] ?? join(import.meta.dirname, '..', '..', 'artifacts', 'stream-manager.cjs')
const FOLDER = dirname(BUNDLE)

interface Bom {
  readonly bomFormat: string
  readonly specVersion: string
  readonly metadata: { readonly component: { readonly version: string } }
  readonly components: readonly {
    readonly group?: string
    readonly name: string
    readonly version: string
    readonly purl: string
    readonly hashes: readonly { readonly alg: string; readonly content: string }[]
    readonly licenses: readonly object[]
  }[]
}

const bom = JSON.parse(readFileSync(join(FOLDER, SBOM_FILE), 'utf8')) as Bom
const nameOf = ({ group, name }: Bom['components'][number]): string => (group === undefined ? name : `${group}/${name}`)
const NATIVE = ['@lmdb/lmdb-linux-arm', '@lmdb/lmdb-linux-arm64', '@lmdb/lmdb-linux-x64', 'aws-crt']

describe('the bill of materials', () => {
  it('has every package of the bundle and the native parts, and no other', () => {
    const maps = readdirSync(FOLDER).filter((file) => file.startsWith(basename(BUNDLE)) && file.endsWith('.map'))
    assert.ok(maps.length > 2, 'the maps of the parts are there')
    const sources = maps.flatMap(
      (file) => (JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { readonly sources: string[] }).sources
    )
    const folders = new Set(sources.map(packageFolderOf).filter((folder) => folder !== undefined))
    const mapped = [...folders].map((folder) => folder.slice(folder.lastIndexOf('node_modules/') + 13))
    assert.deepEqual([...new Set(bom.components.map(nameOf))].sort(), [...new Set([...mapped, ...NATIVE])].sort())
  })

  it('binds each to its content and license', () => {
    assert.deepEqual([bom.bomFormat, bom.specVersion], ['CycloneDX', '1.5'])
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>
    }
    for (const component of bom.components) {
      const name = nameOf(component)
      assert.equal(component.purl, `pkg:npm/${name.replace('@', '%40')}@${component.version}`)
      const [hash] = component.hashes
      const integrity = `sha512-${Buffer.from(hash?.content ?? '', 'hex').toString('base64')}`
      const locked = Object.entries(packages).some(
        ([folder, entry]) =>
          folder.endsWith(`node_modules/${name}`) &&
          entry.version === component.version &&
          entry.integrity === integrity
      )
      assert.ok(hash?.alg === 'SHA-512' && locked, name)
      assert.equal(component.licenses.length, 1, name)
    }
  })
})

describe('the terms of other authors', () => {
  const notices = readFileSync(join(FOLDER, NOTICES_FILE), 'utf8')

  it('are there for every package of the bill', () => {
    for (const component of bom.components)
      assert.ok(notices.includes(`\n${nameOf(component)} ${component.version} (`), component.purl)
  })

  it('have the texts of the libraries in native parts', () => {
    assert.match(notices, /The OpenLDAP Public License/)
    assert.match(notices, /LZ4 Library/)
  })
})

describe('an inventory', () => {
  it('knows the package of a module, however deep it lies', () => {
    assert.equal(packageFolderOf('component/main.ts'), undefined)
    assert.equal(packageFolderOf('../../x/node_modules/cbor-x/encode.js'), 'node_modules/cbor-x')
    assert.equal(packageFolderOf('node_modules/@a/b/node_modules/@c/d/e/f.js'), 'node_modules/@a/b/node_modules/@c/d')
  })

  it('is not made of what the lock does not know', () => {
    assert.throws(
      () => takeInventory(ROOT, ['node_modules/stranger/index.js']),
      /does not tell .* of node_modules\/stranger$/
    )
  })

  it('is written in the same way from the same packages', () => {
    const packages = takeInventory(ROOT, ['node_modules/cbor-x/encode.js', 'component/main.ts'])
    const product = { name: 'p', version: '1.2.3', license: 'Apache-2.0' }
    assert.equal(writeSbom(product, packages), writeSbom(product, packages))
    const names = packages.map(({ name }) => name)
    assert.deepEqual(names, [...NATIVE, 'cbor-x'].sort())
    assert.match(writeNotices(ROOT, product, packages), /^p 1\.2\.3 contains/)
  })
})
