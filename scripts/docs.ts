/** Writes the documents whose source is the code: `npm run docs`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate, GENERATED_PATHS, ROOT } from './docs/index.ts'

for (const path of GENERATED_PATHS) writeFileSync(join(ROOT, path), await generate(path))
