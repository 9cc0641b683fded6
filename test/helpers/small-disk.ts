import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own, small enough to be filled. */
export interface SmallDisk {
  readonly kind: 'ext4' | 'tmpfs'
  /** Where it is mounted. */
  readonly folder: string
  /** Takes all free space but this. */
  fill(freeBytes: number): void
  /** Gives back what `fill` took. */
  empty(): void
  /** Unmounts it; nobody has files open on it any more. */
  dispose(): void
}

export interface SmallDiskOptions {
  readonly bytes: number
  /** Number of inodes; what the file system thinks right by default. */
  readonly inodes?: number
  /** ext4 on a loop device where that can be mounted, else tmpfs, by default. */
  readonly kind?: SmallDisk['kind']
}

const isDone = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

function mountExt4(image: string, folder: string, { bytes, inodes }: SmallDiskOptions): boolean {
  const file = openSync(image, 'w')
  ftruncateSync(file, bytes)
  closeSync(file)
  const count = inodes === undefined ? [] : ['-N', String(inodes)]
  return isDone('mkfs.ext4', '-q', '-F', '-m', '0', ...count, image) && isDone('mount', '-o', 'loop', image, folder)
}

function mountTmpfs(folder: string, { bytes, inodes }: SmallDiskOptions): boolean {
  const count = inodes === undefined ? '' : `,nr_inodes=${inodes}`
  return isDone('mount', '-t', 'tmpfs', '-o', `size=${bytes}${count}`, 'tmpfs', folder)
}

/** Mounts one. @returns undefined where nothing may be mounted: without root, or in a container */
export function openSmallDisk(options: SmallDiskOptions): SmallDisk | undefined {
  const root = mkdtempSync(join(tmpdir(), 'small-disk-'))
  const image = join(root, 'image')
  const folder = join(root, 'mounted')
  const filler = join(folder, 'filler')
  mkdirSync(folder)
  let kind: SmallDisk['kind'] | undefined
  if (options.kind !== 'tmpfs' && mountExt4(image, folder, options)) kind = 'ext4'
  else if (options.kind !== 'ext4' && mountTmpfs(folder, options)) kind = 'tmpfs'
  if (kind === undefined) {
    rmSync(root, { recursive: true })
    return undefined
  }
  return {
    kind,
    folder,
    fill(freeBytes) {
      if (existsSync(filler)) return
      // The file system may need blocks for the file's own description, and what was freed may be late.
      for (let spare = 0; spare < 64; spare++) {
        const { bavail, bsize } = statfsSync(folder)
        const taken = bavail * bsize - freeBytes - spare * bsize
        if (taken <= 0 || isDone('fallocate', '-l', String(taken), filler)) return
        rmSync(filler, { force: true })
      }
      throw new Error('the disk cannot be filled')
    },
    empty: () => rmSync(filler, { force: true }),
    dispose() {
      execFileSync('umount', [folder])
      rmSync(root, { recursive: true })
    }
  }
}
