import { dirname, join } from 'node:path'
import { KIB } from '../../base/limits.ts'

/** Which files tasks may upload: any process that can append a task makes this one read for it (reliability 6.2). */
export interface InputRules {
  /** Nothing below these folders is uploaded (X3). */
  readonly forbiddenFolders: readonly string[]
  /** Files that lie directly in these folders are not uploaded; what is deeper may be. */
  readonly forbiddenParents: readonly string[]
  /** When there are any, only files below them are uploaded (X4). */
  readonly allowedRoots: readonly string[]
}

/** How S3 tasks are done. A plain object: it crosses to the worker. */
export interface S3Settings {
  readonly input: InputRules
  /** Smallest size of an upload part, 5 MiB or more. */
  readonly partBytesMin: number
  /** Which host serves us-east-1 (behaviour 11). */
  readonly usEast1Endpoint: 'regional' | 'legacy'
  /** Bodies ask for the bandwidth of so many bytes at a time; undefined when there is no limit. */
  readonly chunkBytes: number | undefined
}

/** A body is read in pieces of at most this size. */
export const BODY_CHUNK_BYTES = 64 * KIB
const PACED_CHUNK_BYTES_MIN = KIB

/** Pieces that a limit lets through in about a quarter of a second: the service closes connections that fall silent. */
export function pacedChunkBytes(bitsPerSecond: number): number {
  const quarterSecondBytes = Math.floor(bitsPerSecond / 8 / 4)
  return Math.max(PACED_CHUNK_BYTES_MIN, Math.min(BODY_CHUNK_BYTES, quarterSecondBytes))
}

/** What the rules for input files are made from; all paths are absolute. */
export interface InputRuleSources {
  readonly storeFolder: string
  /** Folder of this program. */
  readonly programFolder: string
  /** The nucleus' IPC socket and certificate bundle, which lie in its root folder. */
  readonly nucleusFiles: readonly string[]
  /** Files with credentials that this process uses. */
  readonly secretFiles: readonly string[]
  readonly allowedRoots: readonly string[]
}

/** Folders of the nucleus that hold its configuration, its deployments and the tokens of its console (reliability X3). */
const PRIVATE_FOLDERS = ['config', 'deployments', 'cli_ipc_info', 'telemetry']
/** A socket may lie here; that makes none of these the nucleus' own. */
const SHARED_FOLDERS = new Set(['/', '/tmp', '/var/tmp', '/run', '/var/run', '/etc/ssl/certs'])

/** The rules of X3 and X4. Work folders of components, where most input files lie, stay open. */
export function inputRules(sources: InputRuleSources): InputRules {
  const { storeFolder, programFolder, secretFiles, allowedRoots } = sources
  const roots = [...new Set(sources.nucleusFiles.map((file) => dirname(file)))].filter(
    (folder) => !SHARED_FOLDERS.has(folder)
  )
  const privateFolders = roots.flatMap((root) => PRIVATE_FOLDERS.map((name) => join(root, name)))
  return {
    forbiddenFolders: [storeFolder, programFolder, ...privateFolders, ...secretFiles],
    // Keys, certificates and databases of the nucleus lie in its root.
    forbiddenParents: roots,
    allowedRoots
  }
}
