import { realpathSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import type { InputRules } from './settings.ts'

/** Checks where an opened file really lies. */
export interface InputPolicy {
  /** @param resolved the path of the open descriptor, without links; @param fileSystem its type as statfs tells it */
  allows(resolved: string, fileSystem: bigint): boolean
}

/** Types of file systems whose files are a view into the kernel (X3): linux/magic.h and the file systems' own sources. */
const PSEUDO_FILE_SYSTEMS: ReadonlySet<bigint> = new Set([
  0x9fa0n, // proc
  0x62656572n, // sysfs
  0x1cd1n, // devpts
  0x27e0ebn, // cgroup
  0x63677270n, // cgroup2
  0x64626720n, // debugfs
  0x74726163n, // tracefs
  0x73636673n, // securityfs
  0xf97cff8cn, // selinuxfs
  0x43415d53n, // smackfs
  0x5a3c69f0n, // apparmorfs
  0xcafe4a11n, // bpf
  0x6165676cn, // pstore
  0xde5e81e4n, // efivarfs
  0x62656570n, // configfs
  0x42494e4dn, // binfmt_misc
  0x19800202n, // mqueue
  0x65735543n, // fusectl
  0x6e736673n // nsfs
])
/** Some machines tell the type as a signed number. */
const TYPE_BITS = 32

/** Folders are resolved once, now; those that do not exist are taken as written. */
export function createInputPolicy(rules: InputRules): InputPolicy {
  const forbidden = rules.forbiddenFolders.map(resolved)
  const parents = new Set(rules.forbiddenParents.map(resolved))
  const roots = rules.allowedRoots.map(resolved)
  return {
    allows(path, fileSystem) {
      if (PSEUDO_FILE_SYSTEMS.has(BigInt.asUintN(TYPE_BITS, fileSystem))) return false
      if (forbidden.some((folder) => isBelow(path, folder)) || parents.has(dirname(path))) return false
      return roots.length === 0 || roots.some((folder) => isBelow(path, folder))
    }
  }
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

function resolved(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}
