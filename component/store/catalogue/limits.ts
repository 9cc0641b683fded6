import { assert } from '../../base/assert.ts'
import { KIB, MIB } from '../../base/limits.ts'

/** Zeros written ahead of LMDB's last page, and the step by which a full file grows (reliability 3.2.5). */
export const PREALLOCATED_BYTES = 4 * MIB
/** One write of zeros. */
export const ZERO_CHUNK_BYTES = 256 * KIB
/** After a full disk stopped the growing, it is tried again at most this often. */
export const GROWTH_RETRY_MS = 5_000
/** Of the file, what must be left for a new stream to be accepted. */
export const NEW_STREAM_RESERVE = 1 / 4
/** Of the file, what must be left for any commit that adds data. Between the two, running streams go on. */
export const GROWTH_RESERVE = 1 / 8

/** Keys of one commit while the file cannot grow; with GROWTH_RESERVE free, so many certainly fit. */
export const KEYS_PER_TIGHT_COMMIT_MIN = 8

/** A commit, or any other call into LMDB, that takes longer has failed (reliability 3.2.7). */
export const COMMIT_DEADLINE_MS = 10_000
/** Pause between attempts to write a new generation. */
export const RETRY_INTERVAL_MS = 30_000
/** Databases given up in one process: each keeps its descriptors and its part of the address space. */
export const ABANDONED_GENERATIONS_MAX = 20
/** Reading and one commit in a child process. */
export const PROBE_DEADLINE_MS = 30_000
/** Opens that died before the file is given up although the child process could read it. */
export const DIED_OPENS_MAX = 3
/** Damaged databases kept for a person to look at (reliability 3.2.4). */
export const QUARANTINED_MAX = 2

/** A changed catalogue is copied into a snapshot at most this late (reliability 3.2.9). */
export const SNAPSHOT_INTERVAL_MS = 60_000
/** Bound on what snapshots write, averaged, so that creating thousands of streams does not wear out flash. */
export const SNAPSHOT_BYTES_PER_SECOND = 64 * KIB

/** Longest key; LMDB would take 1,978 bytes. */
export const KEY_BYTES_MAX = 480
/** Largest value: a definition with a hundred exports of the longest fields fits several times. */
export const VALUE_BYTES_MAX = MIB
/** LMDB keeps a larger record in consecutive pages of its own. */
export const IN_PAGE_RECORD_BYTES_MAX = 1_024

assert(GROWTH_RESERVE < NEW_STREAM_RESERVE, 'running streams go on where new ones are refused')
assert(4 * VALUE_BYTES_MAX <= PREALLOCATED_BYTES, 'one step of growth holds any value and its copy')
