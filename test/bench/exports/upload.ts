import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { succeed } from '../../helpers/stream-calls.ts'
import { OP } from '../../helpers/wire-client.ts'
import { settleDisk } from '../servers.ts'
import { readable } from '../statistics.ts'
import { measureExport, startScene, type BenchSettings } from './scene.ts'

const MIB = 1024 * 1024
const FILE_MIB = 1024
const STREAM = 'bench-tasks'
const HEADING = ['', 'seconds', 'MB/s', 'main ms/MiB', 'worker ms/MiB', 'rest ms/MiB', 'peak RSS MiB']

function writeFile(path: string): void {
  const file = openSync(path, 'w')
  const block = randomBytes(MIB)
  for (let index = 0; index < FILE_MIB; index += 1) writeSync(file, block)
  closeSync(file)
  settleDisk()
}

function row(name: string, seconds: number, others: readonly number[] = [NaN, NaN, NaN, NaN]): string[] {
  return [name, ...[seconds, (FILE_MIB * MIB) / 1e6 / seconds, ...others].map(readable)]
}

function programRow(program: string, ...parameters: readonly string[]): string[] {
  const fromMs = performance.now()
  execFileSync(program, parameters)
  const seconds = (performance.now() - fromMs) / 1000
  settleDisk()
  return row(program, seconds)
}

async function upload(file: string, settings: BenchSettings): Promise<string[]> {
  const scene = await startScene('s3', settings)
  try {
    await scene.createStream(STREAM, { s3TaskExecutor: [{ identifier: 's3' }] })
    const task = (key: string): Promise<unknown> => {
      const payload = Buffer.from(JSON.stringify({ inputUrl: `file://${file}`, bucket: 'bucket', key }))
      return succeed(scene.client, OP.appendMessage, { name: STREAM, payload })
    }
    const measuring = measureExport(
      scene,
      ({ bytes }) => bytes > 0,
      ({ done }) => done === 1
    )
    await task('object')
    const { seconds, cpu, peakMib } = await measuring
    const perMib = (cpuSeconds: number): number => (cpuSeconds * 1000) / FILE_MIB
    return row('S3 task', seconds, [perMib(cpu.main), perMib(cpu.worker), perMib(cpu.rest), peakMib])
  } finally {
    await scene.stop()
  }
}

/** Uploads a large file, and compares with what programs take to copy it and to sum it up. */
export async function runUpload(settings: BenchSettings): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'stream-manager-bench-'))
  try {
    const file = join(folder, 'file')
    writeFile(file)
    return [
      HEADING,
      programRow('cp', file, join(folder, 'copy')),
      programRow('sha256sum', file),
      await upload(file, settings)
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
