import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCredentialSource } from '../../component/aws/index.ts'
import { AwsRequestHandler } from '../../component/aws/index.ts'
import { systemClock, type Clock } from '../../component/base/clock.ts'
import type { RunStep, StepOutcome, TaskEvent, TaskStep } from '../../component/export/task.ts'
import type { S3TaskExport } from '../../component/model/export-definition.ts'
import { createS3Tasks } from '../../component/sinks/s3/index.ts'
import type { S3Settings } from '../../component/sinks/s3/settings.ts'
import { createFakeClock } from './fake-clock.ts'

export const MIB = 1024 * 1024

/** No file is forbidden, parts are as small as S3 allows. */
export const S3_SETTINGS: S3Settings = {
  input: { forbiddenFolders: [], forbiddenParents: [], allowedRoots: [] },
  partBytesMin: 5 * MIB,
  usEast1Endpoint: 'regional',
  chunkBytes: undefined
}

/** 2023-11-14T22:13:20Z */
export const UPLOAD_TIME_MS = 1_700_000_000_000

/** What does the steps of tasks, for an endpoint on this machine. */
export function localS3Tasks(
  endpoint: string,
  settings: Partial<S3Settings> = {},
  clock: Clock = systemClock
): RunStep {
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'secret'
  }
  const aws = {
    environment,
    credentials: createCredentialSource(createFakeClock(), environment),
    requestHandler: new AwsRequestHandler({}),
    userAgent: 'test/1'
  }
  return createS3Tasks(aws, { ...S3_SETTINGS, ...settings }, { ...clock, wallMs: () => UPLOAD_TIME_MS })
}

/** A temporary folder with files to upload. */
export interface InputFolder {
  readonly path: string
  /** Writes a file and returns its path. */
  write(name: string, content: Buffer | string): string
  remove(): void
}

export function createInputFolder(): InputFolder {
  const path = mkdtempSync(join(tmpdir(), 'stream-manager-input-'))
  return {
    path,
    write(name, content) {
      writeFileSync(join(path, name), content)
      return join(path, name)
    },
    remove: () => rmSync(path, { recursive: true, force: true })
  }
}

/** A task as an application appends it. */
export function taskOf(
  path: string,
  fields: Readonly<Record<string, unknown>> = {}
): Readonly<Record<string, unknown>> {
  return { inputUrl: `file://${path}`, bucket: 'bucket', key: 'key', ...fields }
}

/** A step of a task, by default the first one. */
export function stepOf(task: unknown, fields: Partial<TaskStep> = {}): TaskStep {
  const payload = Buffer.from(typeof task === 'string' ? task : JSON.stringify(task))
  const definition: S3TaskExport = { kind: 's3', identifier: 'e' }
  return {
    streamName: 's',
    definition,
    message: { sequenceNumber: 0, ingestTimeMs: 0, payload },
    action: 'proceed',
    state: undefined,
    resumed: false,
    ...fields
  }
}

const STEPS_MAX = 100

/** A task that has come to its end, or to a failed attempt. */
export interface TaskEnd {
  readonly outcome: StepOutcome
  readonly events: readonly TaskEvent[]
  /** State that the next attempt begins with. */
  readonly state: string | undefined
}

/** Does the steps of a task until one of them does not ask for another. @param before called before each step */
export async function runTask(
  run: RunStep,
  first: TaskStep,
  before: (step: TaskStep) => void | Promise<void> = () => undefined
): Promise<TaskEnd> {
  const events: TaskEvent[] = []
  for (let step = first, count = 1; ; count++) {
    assert.ok(count <= STEPS_MAX, 'the task comes to an end')
    await before(step)
    const outcome = await run(step, () => Promise.resolve(), new AbortController().signal)
    events.push(...outcome.events)
    if (outcome.kind !== 'continued') {
      return { outcome, events, state: outcome.kind === 'retryLater' ? (outcome.state ?? step.state) : step.state }
    }
    step = { ...step, state: outcome.state, resumed: false }
  }
}
