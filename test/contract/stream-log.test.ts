import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryDisk, nodeDisk } from '../../component/store/index.ts'
import { describeStreamLog } from './stream-log-contract.ts'

describeStreamLog('files', async (run) => {
  const root = mkdtempSync(join(tmpdir(), 'stream-log-'))
  try {
    await run(nodeDisk, join(root, 'stream'))
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

describeStreamLog('memory', async (run) => {
  await run(createMemoryDisk({ bytesMax: 256 * 1024 * 1024 }), '/streams/stream')
})
