/** Writes the sizes of a package into README.md: `node --import tsx scripts/sizes.ts`, after scripts/package. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { format, resolveConfig } from 'prettier'
import { ARCHITECTURES } from './architectures.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const HEADING = '## Size\n'

const kib = (bytes: number): string => `${Math.ceil(bytes / 1024).toLocaleString('en-US')} KiB`

/** The order of the rows: what every device gets, then architecture by architecture. */
function rankOf(file: string): number {
  return 1 + ARCHITECTURES.findIndex(({ nodeArch }) => file.endsWith(`-linux-${nodeArch}.node`))
}

/** Rows of the table: file, bytes on disk and compressed by gzip, in KiB. */
export function sizeRows(artifacts: string): string[][] {
  const files = readdirSync(artifacts).sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? 1 : -1))
  return files.map((file) => {
    const content = readFileSync(join(artifacts, file))
    return [`\`${file}\``, kib(content.length), kib(gzipSync(content).length)]
  })
}

/** The page with its table of sizes, the first one below the heading, replaced. */
export function replaceTable(page: string, rows: readonly (readonly string[])[]): string {
  const start = page.indexOf('\n|', page.indexOf(HEADING)) + 1
  const end = page.indexOf('\n\n', start)
  if (!page.includes(HEADING) || start === 0 || end === -1) throw new Error('README.md has no table of sizes')
  const head = [
    ['part', 'bytes on disk', 'compressed'],
    ['---', '---', '---']
  ]
  const table = [...head, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  return page.slice(0, start) + table + page.slice(end)
}

async function update(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  const artifacts = join(ROOT, 'greengrass-build', 'artifacts', 'aws.greengrass.StreamManager', version)
  const readme = join(ROOT, 'README.md')
  const page = replaceTable(readFileSync(readme, 'utf8'), sizeRows(artifacts))
  writeFileSync(readme, await format(page, { ...(await resolveConfig(readme)), parser: 'markdown' }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await update()
