import { fileOf, type Recipe } from './recipe-check.ts'
import type { RecipeValue } from './recipe-schema.ts'

/** Nucleus lite has a buffer of 8,196 bytes for a recipe file. */
const LITE_BYTES_MAX = 8_196
/** Nucleus lite takes no object of more parts, where each item of a list counts 1, and each entry of a map 2. */
export const LITE_PARTS_MAX = 255
/** As long as the name of a bucket may be; the GDK puts region and account behind the one that is configured. */
const BUCKET = 'b'.repeat(63)
/** What the service adds to each artifact: a SHA-256 in base64 with the name of the algorithm, and all defaults. */
const ADDED = { Digest: 'x'.repeat(44), Algorithm: 'SHA-256', Unarchive: 'NONE' }
const PERMISSION = { Read: 'OWNER', Execute: 'NONE' }

/** The recipe as the service hands it out, as JSON: with the place of each artifact, and with what was left out. */
function served(recipe: Recipe): Recipe {
  const folder = `s3://${BUCKET}/${recipe.ComponentName}/${recipe.ComponentVersion}`
  const manifests = recipe.Manifests.map((manifest) => ({
    ...manifest,
    Lifecycle: {},
    Artifacts: manifest.Artifacts.map(({ Uri, Permission }) => ({
      Uri: `${folder}/${fileOf(Uri)}`,
      ...ADDED,
      Permission: { ...PERMISSION, ...Permission }
    }))
  }))
  return { ...recipe, Manifests: manifests }
}

function partsOf(value: RecipeValue): number {
  if (typeof value !== 'object' || value === null) return 0
  const [children, each] = Array.isArray(value) ? [value, 1] : [Object.values(value), 2]
  return children.reduce<number>((sum, child) => sum + each + partsOf(child), 0)
}

/** How many parts nucleus lite finds in a recipe that comes from the cloud. */
export const servedParts = (recipe: Recipe): number => partsOf(served(recipe) as unknown as RecipeValue)

/**
 * Whether nucleus lite can read a recipe from a folder, and has room for what it gets from the service.
 * @param text the recipe as YAML
 * @returns a sentence for each bound that it exceeds
 */
export function checkSize(text: string, recipe: Recipe): string[] {
  const sizeBytes = Math.max(Buffer.byteLength(text), Buffer.byteLength(JSON.stringify(served(recipe))))
  const parts = partsOf(recipe as unknown as RecipeValue)
  return [
    ...(sizeBytes > LITE_BYTES_MAX
      ? [`it has ${sizeBytes} bytes as the service hands it out, and nucleus lite reads at most ${LITE_BYTES_MAX}`]
      : []),
    ...(parts > LITE_PARTS_MAX
      ? [`it has ${parts} keys, values and items, and nucleus lite reads at most ${LITE_PARTS_MAX}`]
      : [])
  ]
}
