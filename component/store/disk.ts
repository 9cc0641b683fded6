/**
 * All that the store does with files, as an argument: the real disk, the memory behind Memory streams, and the faulty
 * disks of the tests implement it. Calls without a promise return after the system call; every error is a Fault whose
 * cause is the system error. Paths are absolute.
 */
export interface Disk {
  /** Nothing on it survives the process: then all that is written counts as durable, and nothing is synced. */
  readonly isVolatile?: boolean
  /** Creates a new file for reading and writing, mode 0600. Fails when it exists. */
  createFile(path: string): DiskFile
  /** Opens an existing file; links are not followed. */
  openFile(path: string, access: 'read' | 'readWrite'): DiskFile
  /** Creates the folder, mode 0700, and its missing parents. An existing folder is fine. */
  makeFolder(path: string): void
  /** Names in a folder, sorted; an absent folder is empty. */
  listFolder(path: string): readonly FolderEntry[]
  /** Replaces an existing target atomically. */
  rename(from: string, to: string): void
  /** Removes a file; an absent one is fine. */
  removeFile(path: string): void
  /** Removes a folder with all that is in it; an absent one is fine. */
  removeFolder(path: string): void
  /** Makes creations, renames and removals inside the folder survive a power cut. */
  syncFolder(path: string): Promise<void>
  /** What unprivileged programs may still use on the file system that holds `path`, and how large that is. */
  freeSpace(path: string): FreeSpace
}

/** An amount of a file system. */
export interface Space {
  readonly bytes: number
  readonly inodes: number
}

export interface FreeSpace extends Space {
  /** The whole file system; 0 inodes where files have no such bound. */
  readonly size: Space
}

export interface FolderEntry {
  readonly name: string
  readonly isFolder: boolean
}

/** An open file. Positions and lengths are in bytes. */
export interface DiskFile {
  size(): number
  /** Writes all bytes or throws; after a throw the content from `position` on is undefined. */
  write(buffers: readonly Uint8Array[], position: number): void
  /** Like `write`, without blocking the event loop; for writes of many MiB. The buffers must not change meanwhile. */
  writeAsync(buffers: readonly Uint8Array[], position: number): Promise<void>
  /** Reads up to `length` bytes, fewer only at the end of the file. */
  read(position: number, length: number): Buffer
  /** The same without blocking the event loop. @param into memory of `length` bytes or more that may be used for it */
  readAsync(position: number, length: number, into?: Buffer): Promise<Buffer>
  /** Makes the content survive a power cut. A failure is final for this file: calling again proves nothing. */
  sync(): Promise<void>
  truncate(length: number): void
  /** True once the file has been removed from its folder by somebody else. */
  isUnlinked(): boolean
  close(): void
}
