/** Makes the component's package: see scripts/package. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isMap, isSeq, parse, parseDocument } from 'yaml'
import { ARCHITECTURES, type Architecture } from './architectures.ts'
import { collectNativeParts, collectNode } from './native-parts.ts'
import { checkRecipe, fileOf, type Expected, type Recipe } from './recipe-check.ts'
import { LITE_PARTS_MAX, servedParts } from './recipe-size.ts'
import { NOTICES_FILE, SBOM_FILE } from './sbom.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const USAGE = `usage: scripts/package [--arch x64,arm64,armv7] [--with-node MAJOR] [--local] [--output FOLDER]
  --arch       makes the package for these architectures only
  --with-node  ships the official Node.js of this major version too (20, 22 or 24; there is none for armv7)
  --local      also lays everything out for a deployment on the device itself, in artifacts/local, and prints the commands
  --output     instead of greengrass-build, which the Greengrass Development Kit publishes from; with \`local\` in it`

const PACKAGE_FOLDERS = ['artifacts', 'recipes', 'documents', 'local']

/** Ends the build with a sentence instead of a stack. */
class Refusal extends Error {}

interface Options {
  readonly architectures: readonly Architecture[]
  readonly nodeMajor: string | undefined
  /** Receives the layout for deployments on the device itself. */
  readonly local: string | undefined
  readonly output: string
}

const note = (line: string): void => console.error(line)

function parseOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        arch: { type: 'string' },
        'with-node': { type: 'string' },
        local: { type: 'boolean', default: false },
        output: { type: 'string' }
      }
    })
    const names = values.arch?.split(',') ?? ARCHITECTURES.map(({ name }) => name)
    const unknown = names.find((name) => !ARCHITECTURES.some((architecture) => architecture.name === name))
    const output = resolve(values.output ?? join(ROOT, 'greengrass-build'))
    const localFolder = join(values.output === undefined ? join(ROOT, 'artifacts') : output, 'local')
    if (unknown !== undefined) throw new Refusal(`there are no packages for the architecture "${unknown}"`)
    return {
      architectures: ARCHITECTURES.filter(({ name }) => names.includes(name)),
      nodeMajor: values['with-node'],
      local: values.local ? localFolder : undefined,
      output
    }
  } catch (error) {
    throw new Refusal(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  }
}

/** Name, version and author: gdk-config.json and package.json must say the same. */
function readIdentity(): Omit<Expected, 'files'> {
  const gdk = JSON.parse(readFileSync(join(ROOT, 'gdk-config.json'), 'utf8')) as {
    readonly component: Readonly<Record<string, { readonly author: string; readonly version: string }>>
  }
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  const [component, ...others] = Object.entries(gdk.component)
  if (component === undefined || others.length > 0) throw new Refusal('gdk-config.json must have exactly one component')
  const [name, { author, version: gdkVersion }] = component
  if (gdkVersion !== version)
    throw new Refusal(`the version in gdk-config.json is ${gdkVersion}, but package.json says ${version}`)
  return { name, version, author }
}

/** The project's recipe for these architectures, with the Node.js that is shipped; as it stands when nothing differs. */
function adaptRecipe(text: string, { architectures }: Options, nodeFiles: ReadonlyMap<string, string>): string {
  if (architectures.length === ARCHITECTURES.length && nodeFiles.size === 0) return text
  const document = parseDocument(text)
  const manifests = document.get('Manifests')
  // Whatever is wrong with the form is told by the check of the result.
  if (!isSeq(manifests)) return text
  const wanted = new Set<string>(architectures.map(({ recipeName }) => recipeName))
  const archOf = (manifest: unknown): string =>
    isMap(manifest) ? String(manifest.getIn(['Platform', 'architecture'])) : ''
  manifests.items = manifests.items.filter((manifest) => wanted.has(archOf(manifest)))
  for (const manifest of manifests.items) {
    const file = nodeFiles.get(archOf(manifest))
    const artifacts = isMap(manifest) ? manifest.get('Artifacts') : undefined
    if (file === undefined || !isSeq(artifacts)) continue
    const Uri = `s3://BUCKET_NAME/COMPONENT_NAME/COMPONENT_VERSION/${file}`
    artifacts.add(document.createNode({ Uri, Permission: { Execute: 'OWNER' } }))
  }
  return document.toString({ lineWidth: 0 })
}

function copyBuilt(file: string, folder: string): void {
  const built = join(ROOT, 'artifacts', file)
  if (!existsSync(built)) throw new Refusal(`artifacts/${file} is missing: run npm run build`)
  copyFileSync(built, join(folder, file))
}

/** Puts all artifacts into a folder; returns the Node.js that is among them by the recipe's name of its architecture. */
function collectArtifacts({ architectures, nodeMajor }: Options, output: string): ReadonlyMap<string, string> {
  const nodeFiles = new Map<string, string>()
  for (const file of ['stream-manager.cjs', 'launch.sh', 'stream-manager']) copyBuilt(file, output)
  for (const architecture of architectures) {
    collectNativeParts(architecture, { root: ROOT, output, note })
    if (nodeMajor === undefined) continue
    const file = collectNode(nodeMajor, architecture, { root: ROOT, output, note })
    if (file !== undefined) nodeFiles.set(architecture.recipeName, file)
    else note(`there is no Node.js ${nodeMajor} to ship for ${architecture.name}: such devices need one of their own`)
  }
  return nodeFiles
}

function assertBundleVersion(file: string, version: string): void {
  if (!readFileSync(file, 'utf8').includes(JSON.stringify(version)))
    throw new Refusal(`artifacts/stream-manager.cjs was not built as version ${version}: run npm run build`)
}

/** Lays recipe and artifacts out as both local command lines want them (greengrass 6.1, 6.2), and prints these. */
function layOutLocally(
  local: string,
  artifacts: string,
  recipe: string,
  { name, version }: Omit<Expected, 'files'>
): void {
  const recipes = join(local, 'recipes')
  const files = join(local, 'artifacts', name, version)
  rmSync(local, { recursive: true, force: true })
  for (const folder of [recipes, files]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(recipes, `${name}-${version}.yaml`), recipe)
  for (const file of readdirSync(artifacts)) copyFileSync(join(artifacts, file), join(files, file))
  console.log(`For the classic nucleus:
  sudo /greengrass/v2/bin/greengrass-cli deployment create \\
    --recipeDir ${local}/recipes --artifactDir ${local}/artifacts --merge "${name}=${version}"
For nucleus lite:
  sudo ggl-cli deploy --recipe-dir ${local}/recipes --artifacts-dir ${local}/artifacts \\
    --add-component ${name}=${version}`)
}

/** Removes an earlier package, and nothing else. */
function clear(output: string): void {
  const foreign = existsSync(output) ? readdirSync(output).filter((name) => !PACKAGE_FOLDERS.includes(name)) : []
  if (foreign.length > 0)
    throw new Refusal(`${output} has other things in it, as ${foreign[0] ?? ''}: choose an empty folder`)
  for (const name of PACKAGE_FOLDERS) rmSync(join(output, name), { recursive: true, force: true })
}

function makePackage(options: Options): void {
  const { output, local } = options
  const identity = readIdentity()
  const artifacts = join(output, 'artifacts', identity.name, identity.version)
  const documents = join(output, 'documents')
  clear(output)
  for (const folder of [join(output, 'recipes'), artifacts, documents]) mkdirSync(folder, { recursive: true })
  // For whoever passes the package on: devices have no use for them, and nucleus lite no room in its recipe.
  for (const file of [SBOM_FILE, NOTICES_FILE]) copyBuilt(file, documents)
  const nodeFiles = collectArtifacts(options, artifacts)
  assertBundleVersion(join(artifacts, 'stream-manager.cjs'), identity.version)
  const recipe = adaptRecipe(readFileSync(join(ROOT, 'recipe.yaml'), 'utf8'), options, nodeFiles)
  const problems = checkRecipe(recipe, { ...identity, files: new Set(readdirSync(artifacts).map(fileOf)) })
  if (problems.length > 0) throw new Refusal(['recipe.yaml cannot be deployed:', ...problems].join('\n  '))
  writeFileSync(join(output, 'recipes', 'recipe.yaml'), recipe)
  note(`Packaged ${identity.name} ${identity.version}: ${relative(process.cwd(), artifacts)}`)
  const parts = servedParts(parse(recipe) as Recipe)
  if (parts > LITE_PARTS_MAX)
    note(
      'This package is for the classic nucleus, and for nucleus lite on the device itself: from the cloud its recipe may ' +
        `have ${parts} keys, values and items, of which nucleus lite reads ${LITE_PARTS_MAX}. Name one architecture with --arch there.`
    )
  if (local !== undefined) layOutLocally(local, artifacts, recipe, identity)
}

try {
  makePackage(parseOptions(process.argv.slice(2)))
} catch (error) {
  console.error(`scripts/package: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
