import { totalmem } from 'node:os'
import { assert } from './assert.ts'

export const KIB = 1024
export const MIB = 1024 * KIB

/** Largest value of a frame's length field: operation byte and payload (protocol section 1). */
export const FRAME_LENGTH_MAX = 2 ** 30
/** Before a client is authenticated only a Connect frame is expected, which is small. */
export const HANDSHAKE_FRAME_LENGTH_MAX = 64 * KIB
/** A client that connects and says nothing gives its place back after this time. */
export const HANDSHAKE_TIMEOUT_MS: number = 10_000
/** Longest token that is worth asking the nucleus about. */
export const AUTH_TOKEN_CHARS_MAX = 4 * KIB

/**
 * Connections served at a time. Many programs open one per call, others keep one for days. When all are taken the oldest
 * that has said nothing gives way.
 */
export const CONNECTIONS_MAX = 2_000
/** Connections that were refused with an answer and have not gone; past them the first of those is cut off. */
export const REFUSED_CONNECTIONS_MAX = 200
/** Requests of one connection that may wait for their answer; then its socket is not read. */
export const IN_FLIGHT_REQUESTS_MAX = 256
/** Payload bytes of the open requests of one connection at which it is not read any more. */
export const CONNECTION_REQUEST_BYTES_MAX = 16 * MIB
/** Waiting reads of all connections together, each about a kilobyte: a poll for every connection, and many for some. */
export const WAITING_READS_MAX = 16_384
/** Unsent reply bytes at which a connection is not read any more. */
export const UNSENT_REPLY_BYTES_MAX = 4 * MIB
/** A peer that takes no reply byte for this long while others wait for the memory of its answers is given up. */
export const STALLED_PEER_CONTENDED_TIMEOUT_MS: number = 5_000
/** A peer that takes no reply byte for this long is given up in any case. */
export const STALLED_PEER_TIMEOUT_MS = 60_000
/** After both sides have been served a peer may take this long to close its side. */
export const CLOSING_TIMEOUT_MS: number = 10_000
/** A started frame must grow by PROGRESS_BYTES_MIN in this time. */
export const FRAME_PROGRESS_TIMEOUT_MS = 30_000
export const FRAME_PROGRESS_BYTES_MIN = 64 * KIB

/** Bytes of requests from their arrival to their answer, over all connections. A 1 GiB frame fits where memory is plentiful. */
export const FRAME_MEMORY_BYTES_MAX = Math.max(64 * MIB, Math.min(2048 * MIB, Math.floor(totalmem() / 4)))
/** Answers up to this size have memory of their own, so that large ones never hold up small ones. */
export const SMALL_ANSWER_BYTES_MAX = MIB
/** Bytes of small answers with messages that are on their way, over all connections. */
export const SMALL_ANSWER_MEMORY_BYTES_MAX = Math.max(16 * MIB, Math.min(128 * MIB, Math.floor(totalmem() / 16)))
/** Bytes of answers on their way to one connection, which must not have many made in a row; a larger single one goes alone. */
export const CONNECTION_ANSWER_BYTES_MAX = 8 * MIB
/** The same for large answers, over all connections. */
export const ANSWER_MEMORY_BYTES_MAX = Math.max(64 * MIB, Math.min(512 * MIB, Math.floor(totalmem() / 8)))
/** Bytes of all memory streams together. */
export const MEMORY_STREAM_BYTES_MAX = Math.max(64 * MIB, Math.floor(totalmem() / 4))

/** Messages in one answer to ReadMessages: each costs memory beside its bytes. */
export const READ_REPLY_COUNT_MAX = 2 ** 18
/** Payload bytes of one answer to ReadMessages, unless a single message is larger. */
export const READ_REPLY_BYTES_MAX = 256 * MIB
/** An answer later than this would kill a Python client (behaviour 3.9 Q5): the connection is closed instead. */
export const ANSWER_DEADLINE_MS = 55_000

/** CBOR maps and arrays inside each other; the protocol needs 5. */
export const CBOR_DEPTH_MAX = 16
export const CBOR_ITEMS_MAX = 100_000
export const REQUEST_ID_CHARS_MAX = 1_024
/** Longest text in a request. No field may hold as much; it keeps the decoding of one text short. */
export const CBOR_TEXT_BYTES_MAX = MIB
/** Entries of otherSupportedProtocolVersions. */
export const OTHER_VERSIONS_MAX = 32
/** Start of a refused frame that is kept to find the request id in it. */
export const REFUSED_FRAME_START_BYTES = 64 * KIB

export const STREAMS_MAX = 10_000
/** Exports of one stream. */
export const EXPORTS_PER_STREAM_MAX = 100
export const HTTP_URI_CHARS_MAX = 2_048

/** Data of streams without flushOnWrite reaches the disk at most this late. */
export const BACKGROUND_SYNC_INTERVAL_MS = 1_000
/** Export positions and durable offsets reach the catalogue at most this late. */
export const CHECKPOINT_INTERVAL_MS = 1_000
/** Appends of one stream that share a write. */
export const APPEND_GROUP_BYTES_MAX = 8 * MIB
export const APPEND_GROUP_COUNT_MAX = 4_096
/** Dropped segments whose files wait for the catalogue: beyond so many bytes it is told at once. */
export const DROPPED_BYTES_MAX = 8 * MIB
/** Free bytes and inodes that are left to the catalogue, the logs and other programs (reliability 3.5). */
export const DISK_RESERVE_BYTES = 16 * MIB
export const DISK_RESERVE_INODES = 64
/** The free space is looked at after so many written bytes, or so much time. */
export const DISK_CHECK_BYTES = 8 * MIB
export const DISK_CHECK_INTERVAL_MS = 5_000
/** File syncs under way at a time; the rest of Node's eight pool threads serves reads. */
export const CONCURRENT_SYNCS_MAX = 6

assert(HANDSHAKE_FRAME_LENGTH_MAX < FRAME_LENGTH_MAX, 'a handshake frame is a frame')
assert(READ_REPLY_BYTES_MAX < FRAME_LENGTH_MAX, 'a read reply fits into a frame')
assert(SMALL_ANSWER_BYTES_MAX < CONNECTION_ANSWER_BYTES_MAX, 'a small answer fits into the share of a connection')
assert(HANDSHAKE_TIMEOUT_MS < ANSWER_DEADLINE_MS, 'the handshake ends before any answer is late')
