import { statfsSync } from 'node:fs'
import { diskFault } from './system-error.ts'

/** How large a file system is. */
export interface FileSystemSize {
  readonly bytes: number
  /** Files that it can hold; 0 where there is no such bound. */
  readonly inodes: number
}

/**
 * The size of the file system that holds `path`.
 * @throws Fault when it cannot be looked at
 */
export function fileSystemSize(path: string): FileSystemSize {
  try {
    const { blocks, bsize, files } = statfsSync(path)
    return { bytes: blocks * bsize, inodes: files }
  } catch (error) {
    throw diskFault('look at the file system of', path, error)
  }
}
