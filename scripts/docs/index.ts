import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { parse } from 'yaml'
import type { DefaultValue, Recipe } from '../recipe-check.ts'
import { configurationPage } from './configuration.ts'
import { failuresPage } from './failures.ts'
import { readLogCatalogue } from './log-sentences.ts'
import { messagesPage } from './messages.ts'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

function recipeDefaults(): Readonly<Record<string, DefaultValue>> {
  const recipe = parse(readFileSync(join(ROOT, 'recipe.yaml'), 'utf8')) as Recipe
  return recipe.ComponentConfiguration?.DefaultConfiguration ?? {}
}

/** The generated documents by path, before they are formatted. */
const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': () => configurationPage(recipeDefaults()),
  'docs/messages.md': () => messagesPage(readLogCatalogue(join(ROOT, 'component')).sentences),
  'docs/export-failures.md': failuresPage
}

export const GENERATED_PATHS: readonly string[] = Object.keys(DOCUMENTS)

/** A generated document as it should be on disk. */
export async function generate(path: string): Promise<string> {
  const render = DOCUMENTS[path]
  if (render === undefined) throw new Error(`${path} is not a generated document`)
  return format(render(), { ...(await resolveConfig(join(ROOT, path))), parser: 'markdown' })
}
