import { accessSync, chmodSync, constants, existsSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describeError, Fault } from '../base/fault.ts'
import type { Logger } from '../base/log.ts'
import type { Disk } from './disk.ts'

/** Everything of ours lives in here; its name tells the layout's version (behaviour 4.1). */
const STORE_FOLDER = 'streams-v1'
/** Marks the data of the original component, which is neither read nor changed. */
const ORIGINAL_METADATA = 'stream_manager_metadata_store'

/** Says which folder, which user and what to do: this is the one fault that keeps the server from starting. */
function unusable(root: string, reason: string, cause?: unknown): Fault {
  const { username } = userInfo()
  return new Fault(`the store folder ${root} ${reason}; user ${username} needs to read, write and enter it`, cause)
}

/** Rights of everybody but the owner. */
const OTHERS_RIGHTS = 0o077

/**
 * Keeps other users out of our folder: their rights are taken away, and one that is theirs is not used. Everything of ours
 * lies below it. The superuser may use what belongs to others, as in containers.
 */
function keepOthersOut(root: string, folder: string, userId: number | undefined): void {
  const { uid, mode } = statSync(folder)
  if (userId !== undefined && userId !== 0 && uid !== userId)
    throw unusable(root, `holds ${STORE_FOLDER} of another user (id ${uid}), who could exchange what is in it`)
  if ((mode & OTHERS_RIGHTS) !== 0) chmodSync(folder, mode & ~OTHERS_RIGHTS & 0o777)
}

/**
 * Makes the folder of the store below `root` and checks that it can be used, and by nobody else (reliability 6.2 L1).
 * @param root absolute path of an existing folder
 * @param userId who we are; undefined where there are no such ids
 * @returns the absolute path of our folder
 * @throws Fault with a sentence for the operator when the folder is missing or not usable
 */
export function prepareStoreRoot(root: string, disk: Disk, logger: Logger, userId = process.getuid?.()): string {
  if (!existsSync(root)) throw unusable(root, 'does not exist')
  try {
    if (!statSync(root).isDirectory()) throw unusable(root, 'is not a folder')
    accessSync(root, constants.R_OK | constants.W_OK | constants.X_OK)
    const folder = join(root, STORE_FOLDER)
    disk.makeFolder(folder)
    keepOthersOut(root, folder, userId)
    if (existsSync(join(root, ORIGINAL_METADATA))) {
      logger.info('Data of the original component is present; it is left alone and not imported', { folder: root })
    }
    return folder
  } catch (error) {
    if (error instanceof Fault && error.cause === undefined) throw error
    throw unusable(root, `cannot be used: ${describeError(error)}`, error)
  }
}
