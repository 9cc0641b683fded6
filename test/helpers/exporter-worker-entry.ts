import { isMainThread, workerData, parentPort } from 'node:worker_threads'
import { runExporterWorker } from '../../component/exporter/worker.ts'

if (!isMainThread) {
  runExporterWorker()
  // A test asks for a crash by a batch of the stream with this name.
  const { crashOn } = (workerData ?? {}) as { crashOn?: string }
  parentPort?.on('message', (message: { streamName?: string }) => {
    if (crashOn !== undefined && message.streamName === crashOn) {
      setImmediate(() => {
        throw new Error('planted crash')
      })
    }
  })
}
