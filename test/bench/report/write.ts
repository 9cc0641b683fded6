import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHART_FOLDER, DOCUMENT_FILE, formatted, type Results } from '../results.ts'
import { makeReport } from './page.ts'

/** Writes the document and its charts; charts that no longer exist are removed. */
export async function writeReport(results: Results): Promise<void> {
  const { page, charts } = makeReport(results)
  mkdirSync(CHART_FOLDER, { recursive: true })
  for (const name of readdirSync(CHART_FOLDER)) {
    if (name.endsWith('.svg') && !charts.has(name)) rmSync(join(CHART_FOLDER, name))
  }
  for (const [name, svg] of charts) writeFileSync(join(CHART_FOLDER, name), svg)
  writeFileSync(DOCUMENT_FILE, await formatted(DOCUMENT_FILE, page))
}
