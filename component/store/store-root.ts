import { accessSync, constants, existsSync, statSync } from 'node:fs'
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

/**
 * Makes the folder of the store below `root` and checks that it can be used.
 * @param root absolute path of an existing folder
 * @returns the absolute path of our folder
 * @throws Fault with a sentence for the operator when the folder is missing or not usable
 */
export function prepareStoreRoot(root: string, disk: Disk, logger: Logger): string {
  if (!existsSync(root)) throw unusable(root, 'does not exist')
  try {
    if (!statSync(root).isDirectory()) throw unusable(root, 'is not a folder')
    accessSync(root, constants.R_OK | constants.W_OK | constants.X_OK)
    const folder = join(root, STORE_FOLDER)
    disk.makeFolder(folder)
    if (existsSync(join(root, ORIGINAL_METADATA))) {
      logger.info('Data of the original component is present; it is left alone and not imported', { folder: root })
    }
    return folder
  } catch (error) {
    if (error instanceof Fault && error.cause === undefined) throw error
    throw unusable(root, `cannot be used: ${describeError(error)}`, error)
  }
}
