import type { Pace, StepOutcome, TaskStep } from '../../component/export/task.ts'
import type { TaskOptions } from '../../component/export/engine.ts'
import type { S3TaskExport } from '../../component/model/export-definition.ts'
import {
  createExportHarness,
  type HarnessOptions,
  createFakeSource,
  type ExportHarness,
  type FakeSource
} from './export-harness.ts'
import { flush } from './fake-clock.ts'

/** A step that waits for the test to answer it. */
export interface PendingStep {
  readonly step: TaskStep
  readonly pace: Pace
  readonly signal: AbortSignal
  answer(outcome: StepOutcome): Promise<void>
}

export interface TaskHarness extends ExportHarness {
  readonly source: FakeSource
  /** All steps so far. */
  readonly steps: PendingStep[]
  /** The newest step. */
  readonly step: PendingStep
  /** `[task, status, message]` of the status messages so far. */
  readonly told: [number, string, string][]
  /** Status streams of those messages. */
  readonly toldTo: string[]
  /** What else happens, in order: `durable`, `step <state>`. */
  readonly history: string[]
  /** When set, progress cannot be made durable. */
  durableError: Error | undefined
  /** What appending a status message comes to; the reason when it fails. */
  appendStatus: (payload: Buffer) => Promise<string | undefined>
  open(definition?: S3TaskExport): void
  /** Appends a task. */
  put(name?: string): Promise<void>
}

const STATUS = ['success', 'failure', 'inProgress', 'warning', 'canceled']

export function s3Export(fields: Partial<S3TaskExport> = {}): S3TaskExport {
  return { kind: 's3', identifier: 'e', statusConfig: { statusStreamName: 'statuses' }, ...fields }
}

export const continued = (state: string): StepOutcome => ({ kind: 'continued', state, events: [] })
export const succeeded: StepOutcome = { kind: 'succeeded', bytes: 7, message: 'done', resolvedKey: 'k', events: [] }

/** An engine whose S3 tasks are answered by the test. */
export function createTaskHarness(options: HarnessOptions = {}): TaskHarness {
  const steps: PendingStep[] = []
  const told: [number, string, string][] = []
  const toldTo: string[] = []
  const history: string[] = []
  const tasks: TaskOptions = {
    runStep: (step, pace, signal) =>
      new Promise((resolve) => {
        history.push(`${step.action} ${step.state ?? '-'}`)
        const answer = async (outcome: StepOutcome): Promise<void> => {
          resolve(outcome)
          await flush()
        }
        signal.addEventListener('abort', () => resolve({ kind: 'retryLater', reason: 'AbortError', events: [] }))
        steps.push({ step, pace, signal, answer })
      }),
    async appendStatus(stream, payload) {
      const reason = await harness.appendStatus(payload)
      if (reason !== undefined) return reason
      const { status, message, statusContext } = JSON.parse(payload.toString()) as {
        status: number
        message: string
        statusContext: { sequenceNumber: number }
      }
      told.push([statusContext.sequenceNumber, STATUS[status] ?? '', message])
      toldTo.push(stream)
      return stream === 'statuses' ? undefined : 'another stream'
    },
    async makeDurable() {
      await Promise.resolve()
      if (harness.durableError !== undefined) throw harness.durableError
      history.push('durable')
    }
  }
  const engine = createExportHarness({ tasks, ...options })
  const source = createFakeSource(engine.clock)
  const own = {
    source,
    steps,
    told,
    toldTo,
    history,
    durableError: undefined as Error | undefined,
    appendStatus: (): Promise<string | undefined> => Promise.resolve(undefined),
    get step() {
      const last = steps.at(-1)
      if (last === undefined) throw new Error('there was no step')
      return last
    },
    open(definition = s3Export()) {
      harness.engine.open(source, [definition], harness.saved.size === 0 ? new Map() : new Map(remembered(harness)))
    },
    async put(name = 'file') {
      source.put(Buffer.from(JSON.stringify({ inputUrl: `file:/${name}`, bucket: 'bucket', key: 'key' })))
      await flush()
    }
  }
  const harness: TaskHarness = Object.defineProperties(
    Object.create(engine) as TaskHarness,
    Object.getOwnPropertyDescriptors(own)
  )
  return harness
}

function remembered({ saved }: ExportHarness): [string, Parameters<typeof saved.set>[1]][] {
  return [...saved].map(([key, progress]) => [key.split('/')[1] ?? '', progress])
}
