/** A deliberate bug, and the test files that have to notice it. */
export interface Mutation {
  readonly name: string
  /** Below component/. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly text: string
  readonly replacement: string
  /** Below test/. */
  readonly tests: readonly string[]
}

/** The promises that would be broken most quietly (reliability 8.1, item 10). */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'acknowledge-before-sync',
    file: 'stream/append-queue.ts',
    text: 'if (!policy().syncsBeforeAcknowledging) {',
    replacement: 'if (policy().usesDisk || !policy().syncsBeforeAcknowledging) {',
    tests: ['unit/stream/append-queue.test.ts', 'property/streams.test.ts']
  },
  {
    name: 'skip-folder-sync',
    file: 'store/spare-segment.ts',
    text: '    await syncs(() => file.sync())\n    await syncs(() => disk.syncFolder(folder))\n',
    replacement: '    await syncs(() => file.sync())\n',
    tests: ['property/stream-log.test.ts', 'property/streams.test.ts']
  },
  {
    name: 'skip-root-sync',
    file: 'stream/stream-folders.ts',
    text: '    await disk.syncFolder(dirname(root))\n',
    replacement: '',
    tests: ['unit/stream/first-start.test.ts']
  },
  {
    name: 'export-before-durable',
    file: 'export/stream-source.ts',
    text: 'return log.durableNext',
    replacement: 'return log.next',
    tests: ['property/simulation.test.ts']
  },
  {
    name: 'cut-sealed-data',
    file: 'store/recovery.ts',
    text: 'return sameBoot || state === undefined ? Infinity : state.durable.next',
    replacement: 'return 0',
    tests: ['unit/store/damage.test.ts', 'unit/store/recovery.test.ts']
  },
  {
    name: 'cursor-before-success',
    file: 'export/cursor.ts',
    text: "        case 'retryLater':\n          return {",
    replacement: "        case 'retryLater':\n          moveTo(flight.end)\n          return {",
    tests: ['property/simulation.test.ts']
  },
  {
    name: 'keep-half-of-a-failed-write',
    file: 'store/segment-log.ts',
    text: '      file.truncate(end)\n',
    replacement: '',
    tests: ['unit/store/segment-log.test.ts', 'property/stream-log.test.ts']
  },
  {
    name: 'believe-a-failed-sync',
    file: 'store/log-syncer.ts',
    text: 'segment.hasFailedSync ? undefined : await',
    replacement: 'await',
    tests: ['unit/store/segment-log.test.ts', 'property/stream-log.test.ts']
  },
  {
    name: 'remove-files-before-the-commit',
    file: 'stream/checkpointer.ts',
    text: '      if (changes.length > 0) await catalogue.commit(changes)\n',
    replacement:
      '      for (const entry of logs) if (entry.log.hasDropped) entry.log.removeDropped(entry.oldest)\n      if (changes.length > 0) await catalogue.commit(changes)\n',
    tests: ['unit/stream/checkpointer.test.ts']
  },
  {
    name: 'trust-any-checksum',
    file: 'store/record.ts',
    text: 'seed) === checksumAt(buffer, position)',
    replacement: 'seed) === checksumAt(buffer, position) || bytes > 0',
    tests: ['unit/store/record.test.ts', 'unit/store/damage.test.ts']
  }
]
