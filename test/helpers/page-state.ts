import { createHistory } from '../../component/monitor/page/history.ts'
import type { ExportSnapshot, Snapshot, StreamSnapshot } from '../../component/monitor/page/snapshot.ts'
import type { PageState } from '../../component/monitor/page/state.ts'
import type { ViewElement, ViewNode } from '../../component/monitor/page/view-node.ts'

/** What the page knows, made up. */

export function exportOf(changes: Partial<ExportSnapshot> = {}): ExportSnapshot {
  return {
    identifier: 'cloud',
    kind: 'kinesis',
    destination: 'telemetry',
    state: 'idle',
    waitingMessages: 0,
    waitingBytes: 0,
    waitingSeconds: undefined,
    exportedMessages: 100,
    skippedMessages: 0,
    droppedMessages: 0,
    skippedRanges: [],
    droppedRanges: [],
    error: undefined,
    meaning: undefined,
    remedy: undefined,
    failedAttempts: 0,
    nextAttemptMs: undefined,
    ...changes
  }
}

export function streamOf(changes: Partial<StreamSnapshot> = {}): StreamSnapshot {
  return {
    name: 'sensor',
    persistence: 'file',
    strategyOnFull: 'overwriteOldestData',
    maxSizeBytes: 1_000_000,
    totalBytes: 430_000,
    oldest: 0,
    next: 100,
    messagesPerSecond: 5,
    bytesPerSecond: 500,
    problem: undefined,
    exports: [],
    ...changes
  }
}

export function snapshotOf(streams: readonly StreamSnapshot[], changes: Partial<Snapshot> = {}): Snapshot {
  return {
    takenAtMs: 1_700_000_000_000,
    version: '2.4.0',
    uptimeSeconds: 60,
    memoryBytes: 64 * 1024 * 1024,
    connections: 1,
    complaints: [],
    omittedStreams: 0,
    streams,
    ...changes
  }
}

export function stateOf(changes: Partial<PageState> = {}): PageState {
  return {
    snapshot: undefined,
    history: createHistory(),
    nowMs: 0,
    silence: undefined,
    isPaused: false,
    filter: '',
    selected: undefined,
    events: [],
    messageView: 'text',
    messages: undefined,
    ...changes
  }
}

/** All elements in a view that the test is looking for, outermost first. */
export function findAll(
  views: readonly ViewNode[],
  isWanted: (element: ViewElement) => boolean
): readonly ViewElement[] {
  return views.flatMap((view) => {
    if (typeof view === 'string') return []
    return [...(isWanted(view) ? [view] : []), ...findAll(view.children, isWanted)]
  })
}
