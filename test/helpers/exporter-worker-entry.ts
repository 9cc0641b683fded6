import { isMainThread, workerData, parentPort } from 'node:worker_threads'
import { runExporterWorker } from '../../component/exporter/worker.ts'

/** Lets the event loop turn no more. */
function spin(): void {
  for (;;);
}

if (!isMainThread) {
  runExporterWorker()
  // A test asks for a crash, or for a hang, by a batch of the stream with this name.
  const { crashOn, hangOn } = (workerData ?? {}) as { crashOn?: string; hangOn?: string }
  parentPort?.on('message', (message: { streamName?: string }) => {
    if (hangOn !== undefined && message.streamName === hangOn) setImmediate(spin)
    if (crashOn !== undefined && message.streamName === crashOn) {
      setImmediate(() => {
        throw new Error('planted crash')
      })
    }
  })
}
