import { parseS3Task, type S3Task } from '../../export/s3-task.ts'
import type { StepOutcome, TaskEvent, TaskStep } from '../../export/task.ts'
import { failureText, reason } from '../failure-text.ts'
import { checksumOf, FileTooShort } from './body.ts'
import { s3Failure } from './errors.ts'
import { changeOf, currentIdentity, openInput, type InputFile } from './input-file.ts'
import type { InputPolicy } from './input-policy.ts'
import { inputPaths } from './input-url.ts'
import { abortUpload, warning, warningsOf } from './leftover.ts'
import { isMultipart, OBJECT_BYTES_MAX, partBytesOf } from './limits.ts'
import { objectMetadata } from './metadata.ts'
import { adoptParts, completeUpload, partCountOf, sendNextPart, UploadMismatch } from './multipart.ts'
import { resolveKey } from './object-key.ts'
import type { Requests } from './requests.ts'
import { decodeTaskState, encodeTaskState, type MultipartState, type TaskState } from './task-state.ts'

/*
 * The steps of a task (behaviour 10):
 *
 *     look at the file ─▶ single PUT ─▶ done                             up to the threshold
 *                      └▶ begin ─▶ part ─▶ … ─▶ part ─▶ complete ─▶ done  above it
 *
 * Each step opens the file anew and compares it with what the upload began with. A file that has become longer is
 * uploaded as far as it went; one that has become shorter fails the task; another file, or one written to, begins the
 * upload anew: an object is never a mixture of two contents (reliability 5.4 CD13).
 */

/** An upload begins anew so often; a file that is still not quiet then fails the task. */
const RESTARTS_MAX = 5

export interface StepContext {
  readonly policy: InputPolicy
  readonly partBytesMin: number
  /** Of the device; undefined when none is configured. */
  readonly region: string | undefined
  /** Milliseconds since the epoch. */
  wallMs(): number
  /** @param region of the bucket when it is another one than the device's */
  requestsFor(region: string | undefined): Requests
}

type Events = readonly TaskEvent[]

/** Does one step of a task. Never rejects. */
export async function runStep(context: StepContext, step: TaskStep, signal: AbortSignal): Promise<StepOutcome> {
  const state = step.state === undefined ? undefined : decodeTaskState(step.state)
  if (step.action === 'abort' || step.message === undefined) return abortOnly(context, state, signal)
  const parsed = parseS3Task(step.message.payload)
  const fail = (text: string): Promise<StepOutcome> => fails(context, state, text, signal)
  if (!parsed.ok) return fail(reason('InvalidTask', parsed.problem))
  const location = inputPaths(parsed.task.inputUrl)
  if (!location.ok) return fail(reason('InvalidInputUrl', location.problem))
  const opened = await openInput(location.paths, context.policy)
  if (opened.kind === 'refused') return fail(reason(opened.name, opened.problem))
  if (opened.kind === 'failed') return { kind: 'retryLater', reason: failureText(opened.error), events: [] }
  try {
    if (state === undefined) return look(context, parsed.task, opened.file)
    return await work({ context, step, task: parsed.task, state, file: opened.file, signal })
  } catch (error) {
    return await afterError(context, state, error, signal)
  } finally {
    await opened.file.handle.close()
  }
}

/** The first step: everything about the task that can be known without the service. */
function look(context: StepContext, task: S3Task, file: InputFile): StepOutcome {
  const resolved = resolveKey(task.key, context.wallMs())
  if (!resolved.ok) return { kind: 'failed', reason: reason('InvalidKey', resolved.problem), events: [] }
  if (file.identity.bytes > OBJECT_BYTES_MAX) {
    return { kind: 'failed', reason: reason('EntityTooLarge', 'the file is larger than any object'), events: [] }
  }
  const { dropped } = objectMetadata(task.userMetadata ?? new Map())
  const state: TaskState = { bucket: task.bucket, key: resolved.key, file: file.identity, restarts: 0 }
  const names = dropped.slice(0, 10).join(', ')
  return {
    kind: 'continued',
    state: encodeTaskState(state),
    events: dropped.length === 0 ? [] : [warning(`metadata left out: the names ${names} cannot be used`)]
  }
}

interface Work {
  readonly context: StepContext
  readonly step: TaskStep
  readonly task: S3Task
  readonly state: TaskState
  readonly file: InputFile
  readonly signal: AbortSignal
}

async function work(all: Work): Promise<StepOutcome> {
  const { context, step, state, file } = all
  switch (changeOf(state.file, file.identity)) {
    case 'shrunk':
      throw new FileTooShort('the file has become shorter')
    case 'replaced':
      return startOver(context, state, file, reason('InputFileChanged', 'the file has changed'), all.signal)
    case 'none':
    case 'grown':
  }
  const threshold = step.definition.sizeThresholdForMultipartUploadBytes
  if (state.upload !== undefined) return workOnParts(all, state.upload)
  return isMultipart(state.file.bytes, threshold, context.partBytesMin) ? begin(all) : putWhole(all)
}

async function putWhole(all: Work): Promise<StepOutcome> {
  const { context, task, state, file, signal } = all
  const range = { offset: 0, bytes: state.file.bytes }
  const { crc } = await checksumOf(file.handle, range, 0, signal)
  if (changeOf(state.file, await currentIdentity(file.handle)) === 'replaced') {
    return startOver(context, state, file, reason('InputFileChanged', 'the file has changed'), signal)
  }
  const { metadata } = objectMetadata(task.userMetadata ?? new Map())
  await context.requestsFor(state.region).put(state, { handle: file.handle, range, crc }, metadata, signal)
  return succeeded(state, file)
}

async function begin({ context, task, state, signal }: Work): Promise<StepOutcome> {
  const { metadata } = objectMetadata(task.userMetadata ?? new Map())
  const id = await context.requestsFor(state.region).begin(state, metadata, signal)
  const partBytes = partBytesOf(state.file.bytes, context.partBytesMin)
  return continued(state, { id, partBytes, partsDone: 0, crc: 0 })
}

async function workOnParts(all: Work, upload: MultipartState): Promise<StepOutcome> {
  const { context, step, state, file, signal } = all
  const { bytes } = state.file
  const requests = context.requestsFor(state.region)
  const count = partCountOf(bytes, upload)
  if (step.resumed) {
    const adopted = await adoptParts(requests, state, file, bytes, upload, signal)
    if (adopted.partsDone > upload.partsDone) return continued(state, adopted)
  }
  if (upload.partsDone < count) {
    const done = await sendNextPart(requests, state, file, bytes, upload, signal)
    const message = `uploaded part ${done.partsDone} of ${count}`
    return continued(state, done, [{ level: 'trace', status: 'inProgress', message }])
  }
  // Nothing tells whether a file that was only appended to; one that was not written to needs no second look.
  if (changeOf(state.file, file.identity) === 'grown') {
    const { prefixCrc } = await checksumOf(file.handle, { offset: 0, bytes }, 0, signal)
    if (prefixCrc !== upload.crc) throw new UploadMismatch('the file has changed during the upload')
  }
  await completeUpload(requests, state, bytes, upload, signal)
  return succeeded(state, file)
}

function continued(state: TaskState, upload: MultipartState, events: Events = []): StepOutcome {
  return { kind: 'continued', state: encodeTaskState({ ...state, upload }), events }
}

async function succeeded({ bucket, key, file: before }: TaskState, file: InputFile): Promise<StepOutcome> {
  const { bytes } = before
  const isGrown = changeOf(before, await currentIdentity(file.handle)) === 'grown'
  const events = isGrown ? [warning(`file has grown: only its first ${bytes} bytes were uploaded`)] : []
  const message = `uploaded ${bytes} bytes to s3://${bucket}/${key}`
  return { kind: 'succeeded', bytes, message, resolvedKey: key, events }
}

/** Begins the upload anew with the file as it is now; an unfinished upload is given up before. */
async function startOver(
  context: StepContext,
  state: TaskState,
  file: InputFile | undefined,
  text: string,
  signal: AbortSignal
): Promise<StepOutcome> {
  if (state.restarts >= RESTARTS_MAX) return fails(context, state, text, signal)
  const leftover = await abortUpload(context, state, signal)
  if (leftover?.again !== undefined) return leftover.again
  const { bucket, key, region } = state
  const where = { bucket, key, ...(region === undefined ? {} : { region }) }
  const fresh = { ...where, file: file?.identity ?? state.file, restarts: state.restarts + 1 }
  return { kind: 'retryLater', reason: text, state: encodeTaskState(fresh), events: warningsOf(leftover) }
}

async function afterError(
  context: StepContext,
  state: TaskState | undefined,
  error: unknown,
  signal: AbortSignal
): Promise<StepOutcome> {
  if (signal.aborted) return { kind: 'retryLater', reason: 'AbortError: aborted', events: [] }
  if (error instanceof FileTooShort) return fails(context, state, reason('InputFileShrunk', error.message), signal)
  if (error instanceof UploadMismatch && state !== undefined) {
    return startOver(context, state, undefined, failureText(error), signal)
  }
  const failure = s3Failure(error, state?.region ?? context.region, context.wallMs())
  switch (failure.kind) {
    case 'retry':
      return { ...failure, kind: 'retryLater', events: [] }
    case 'final':
      return fails(context, state, failure.reason, signal)
    case 'uploadLost':
      if (state === undefined) return fails(context, state, failure.reason, signal)
      return startOver(context, state, undefined, failure.reason, signal)
    case 'otherRegion':
      // Once only: a second hint, from the region of the first, is not followed (behaviour 10.5).
      if (state === undefined || state.region !== undefined) return fails(context, state, failure.reason, signal)
      return { kind: 'continued', state: encodeTaskState({ ...state, region: failure.region }), events: [] }
  }
}

/** Ends the task; an unfinished upload is given up before, as nobody would know of it afterwards. */
async function fails(
  context: StepContext,
  state: TaskState | undefined,
  text: string,
  signal: AbortSignal
): Promise<StepOutcome> {
  const leftover = await abortUpload(context, state, signal)
  return leftover?.again ?? { kind: 'failed', reason: text, events: warningsOf(leftover) }
}

async function abortOnly(
  context: StepContext,
  state: TaskState | undefined,
  signal: AbortSignal
): Promise<StepOutcome> {
  const leftover = await abortUpload(context, state, signal)
  return leftover === undefined
    ? { kind: 'failed', reason: 'AbortError: aborted', events: [] }
    : { kind: 'retryLater', reason: leftover.warning.message, events: [leftover.warning] }
}
