import { Worker } from 'node:worker_threads'

/** Node.js 20 starts worker threads without the loader of the main thread: it is registered inside. */
const START = `
const { workerData } = require('node:worker_threads')
void import('tsx/esm/api').then(({ tsImport }) => tsImport(workerData.url, workerData.url))
`

/**
 * Starts a TypeScript file of test/helpers as a worker thread.
 * @param script name of the file beside this one
 * @param data its workerData, beside the field `url`
 */
export function startTypescriptWorker(script: string, data: Readonly<Record<string, string>> = {}): Worker {
  return new Worker(START, { eval: true, workerData: { ...data, url: new URL(script, import.meta.url).href } })
}
