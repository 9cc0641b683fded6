import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, transform, type Plugin } from 'esbuild'
import type { PageAssets } from '../component/monitor/page-assets.ts'

const FOLDER = join(import.meta.dirname, '..', 'component', 'monitor', 'page')
/** Oldest browsers with what the page uses; their versions are of 2022 and later. */
const BROWSERS = ['chrome111', 'firefox111', 'safari16.4']

/** The page as one script, one style sheet and one document, all of them small: a device serves them, maybe over a slow line. */
export async function buildPageAssets(): Promise<PageAssets> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, 'main.ts')],
    write: false,
    bundle: true,
    minify: true,
    platform: 'browser',
    target: BROWSERS,
    format: 'iife',
    legalComments: 'none',
    logLevel: 'warning'
  })
  const text = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
  const { code: css } = await transform(text('page.css'), { loader: 'css', minify: true, target: BROWSERS })
  return { html: text('page.html'), css, script: outputFiles[0]?.text ?? '', icon: text('icon.svg') }
}

/** Puts the page into the bundle, in the place of `component/monitor/page-assets.ts`. */
export const embedPage: Plugin = {
  name: 'embed-page',
  setup(hooks) {
    hooks.onLoad({ filter: /\/monitor\/page-assets\.ts$/ }, async () => ({
      contents: `export const PAGE_ASSETS = ${JSON.stringify(await buildPageAssets())}`,
      loader: 'js'
    }))
  }
}
