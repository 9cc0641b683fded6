import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describeError } from '../../base/fault.ts'
import { bytesText, countText, numberText } from '../../base/quantities.ts'
import { parseConfig, VERSION, type Config } from '../../config/index.ts'
import type { Disk } from '../../store/disk.ts'
import { findStoreHolder } from '../../store/store-lock.ts'
import { reserveOf } from '../../stream/space-guard.ts'
import type { Variables } from '../command.ts'
import type { StreamView } from '../stream-status.ts'
import { bad, ok, type Finding } from './finding.ts'

/** The oldest Node.js that the server runs on. */
const NODE_MAJOR_MIN = 20
const NODE_MINOR_MIN = 15

/** @param version as process.version has it */
export function checkVersions(version: string, serverVersion: string | undefined): Finding[] {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number)
  const isOld = major < NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor < NODE_MINOR_MIN)
  const node = `Node.js ${version} runs this command`
  const findings = [
    isOld
      ? bad('problem', 'Node.js', `${node}, which is too old`, 'install Node.js 20.15 or later')
      : ok('Node.js', node)
  ]
  if (serverVersion !== undefined && serverVersion !== VERSION)
    findings.push(
      bad(
        'warning',
        'version',
        `the server is ${serverVersion}, this command ${VERSION}`,
        'use the command of the same package, or restart the server after a deployment'
      )
    )
  return findings
}

/** Settings, as the server reads them. */
export function checkSettings(variables: Variables, workFolder: string, isServers: boolean): Finding[] {
  if (!isServers)
    return [
      bad(
        'unknown',
        'settings',
        'those of the server are not known here',
        'run it with --pid <process of the server> as root, or with --root'
      )
    ]
  const { fatal, warnings } = parseConfig(variables, workFolder)
  const findings = [
    ...fatal.map((text) => bad('problem', 'settings', text, 'correct it in the configuration of the component')),
    ...warnings.map((text) => bad('warning', 'settings', text, 'correct it in the configuration of the component'))
  ]
  return findings.length === 0 ? [ok('settings', 'all are valid')] : findings
}

interface Space {
  readonly freeBytes: number
  readonly freeInodes: number
  readonly reserveBytes: number
  readonly reserveInodes: number
}

function spaceOf(disk: Disk, root: string, config: Config): Space {
  const free = disk.freeSpace(root)
  const reserve = reserveOf(free.size, config.storeReserveBytes)
  return {
    freeBytes: free.bytes,
    freeInodes: free.inodes,
    reserveBytes: reserve.bytes,
    reserveInodes: reserve.inodes
  }
}

/** How much the streams may still grow. */
function growthBytes(views: readonly StreamView[]): number {
  return views
    .filter(({ info }) => info.definition.persistence === 'file')
    .reduce(
      (sum, { info }) => sum + Math.max(0, Number(info.definition.maxSizeBytes) - info.storageStatus.totalBytes),
      0
    )
}

function spaceFinding(space: Space, views: readonly StreamView[]): Finding {
  const { freeBytes, freeInodes, reserveBytes, reserveInodes } = space
  const text = `${bytesText(freeBytes)} and ${numberText(freeInodes)} inodes are free, of which ${bytesText(reserveBytes)} are kept in reserve`
  if (freeBytes < reserveBytes || freeInodes < reserveInodes)
    return bad(
      'problem',
      'disk',
      `${text}: appends to file streams are refused`,
      'make room on the file system of the store'
    )
  const growth = growthBytes(views)
  if (growth > freeBytes - reserveBytes)
    return bad(
      'warning',
      'disk',
      `${text}; the streams may grow by ${bytesText(growth)}`,
      'lower maxSize of streams, or make room, before appends are refused'
    )
  return ok('disk', text)
}

/** Folder, space and lock of the store. */
export function checkStore(
  disk: Disk,
  variables: Variables,
  workFolder: string,
  views: readonly StreamView[]
): Finding[] {
  const { config } = parseConfig(variables, workFolder)
  const root = config.storeRoot
  if (!existsSync(root) || !statSync(root).isDirectory())
    return [bad('problem', 'store', `${root} is not a folder`, 'create it, or correct STREAM_MANAGER_STORE_ROOT_DIR')]
  const findings: Finding[] = []
  const folder = join(root, 'streams-v1')
  if (existsSync(folder)) {
    const holder = findStoreHolder(folder)
    findings.push(
      ok(
        'store',
        `${folder}${holder === undefined ? ', on which no server runs' : `, on which process ${holder.pid} runs`}`
      )
    )
    const aside = existsSync(join(folder, 'quarantine')) ? disk.listFolder(join(folder, 'quarantine')).length : 0
    if (aside > 0)
      findings.push(
        bad(
          'warning',
          'store',
          `${countText(aside, 'folder')} set aside in quarantine`,
          `look at them: stream-manager check ${root}`
        )
      )
  } else {
    findings.push(
      bad('warning', 'store', `there is none in ${root} yet`, 'start the server, or give the right folder with --root')
    )
  }
  try {
    findings.push(spaceFinding(spaceOf(disk, root, config), views))
  } catch (error) {
    findings.push(bad('unknown', 'disk', describeError(error), 'run it as root or as the user of the server'))
  }
  return findings
}
