import { readTerms, type ShippedPackage } from './inventory.ts'

/** The files that tell what a build is made of; beside the bundle, and in `documents` of a package. */
export const SBOM_FILE = 'sbom.cdx.json'
export const NOTICES_FILE = 'THIRD-PARTY.txt'

/** What the build is a build of. */
export interface Product {
  readonly name: string
  readonly version: string
  readonly license: string
}

/** https://github.com/package-url/purl-spec: the at sign of a scope is encoded. */
const purlOf = ({ name, version }: Pick<ShippedPackage, 'name' | 'version'>): string =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`

/** One identifier is an `id`; anything longer is an expression. */
const licenseOf = (license: string): object =>
  /^[A-Za-z0-9.-]+$/.test(license) ? { license: { id: license } } : { expression: license }

function componentOf(shipped: ShippedPackage): object {
  const [group, name] = shipped.name.startsWith('@') ? shipped.name.split('/', 2) : [undefined, shipped.name]
  return {
    type: 'library',
    'bom-ref': purlOf(shipped),
    ...(group === undefined ? {} : { group }),
    name,
    version: shipped.version,
    hashes: [
      { alg: 'SHA-512', content: Buffer.from(shipped.integrity.slice('sha512-'.length), 'base64').toString('hex') }
    ],
    licenses: [licenseOf(shipped.license)],
    purl: purlOf(shipped)
  }
}

/** One version of a package may be installed in several folders. */
function distinct(packages: readonly ShippedPackage[]): readonly ShippedPackage[] {
  return [...new Map(packages.map((shipped) => [purlOf(shipped), shipped])).values()]
}

/**
 * A software bill of materials: CycloneDX 1.5 in JSON (https://cyclonedx.org/docs/1.5/json/). It has neither time nor
 * serial number: the same sources give the same text.
 */
export function writeSbom(product: Product, packages: readonly ShippedPackage[]): string {
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': product.name,
        name: product.name,
        version: product.version,
        licenses: [licenseOf(product.license)]
      }
    },
    components: distinct(packages).map(componentOf),
    dependencies: [{ ref: product.name, dependsOn: distinct(packages).map(purlOf) }]
  }
  return `${JSON.stringify(bom, null, 2)}\n`
}

/**
 * The terms of all packages of which something is shipped; packages with the same text share it.
 * @param root the folder that holds node_modules
 */
export function writeNotices(root: string, product: Product, packages: readonly ShippedPackage[]): string {
  const byTerms = new Map<string, ShippedPackage[]>()
  for (const shipped of distinct(packages)) {
    const terms = readTerms(root, shipped).join('\n\n') || `No text comes with it; its license is ${shipped.license}.`
    byTerms.set(terms, [...(byTerms.get(terms) ?? []), shipped])
  }
  const rule = `${'='.repeat(80)}\n`
  const sections = [...byTerms].map(([terms, sharing]) => {
    const names = sharing.map(({ name, version, license }) => `${name} ${version} (${license})`)
    return `${rule}${names.join('\n')}\n${rule}\n${terms}\n`
  })
  const intro = `${product.name} ${product.version} contains code of the packages below, under these terms.\n`
  return [intro, ...sections].join('\n')
}
