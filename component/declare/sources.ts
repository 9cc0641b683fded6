import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { describeError, Fault } from '../base/fault.ts'
import type { DeclarationSource } from './declarations.ts'
import { DECLARATIONS_BYTES_MAX } from './document.ts'

/**
 * The places where streams are declared.
 * @param text of the setting; none when empty
 * @param file absolute path, if there is a file
 */
export function declarationSources(text: string, file: string | undefined): readonly DeclarationSource[] {
  return [
    ...(text === '' ? [] : [{ label: 'STREAM_MANAGER_STREAMS.', read: () => text }]),
    ...(file === undefined ? [] : [{ label: `${file}: `, read: () => readText(file) }])
  ]
}

function readText(path: string): string {
  try {
    // Its size is known before anything is read.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stat = fstatSync(descriptor)
      if (!stat.isFile()) throw new Fault('it is no file')
      if (stat.size > DECLARATIONS_BYTES_MAX) throw new Fault(`it has more than ${DECLARATIONS_BYTES_MAX} bytes`)
      return readFileSync(descriptor, 'utf8').replace(/^\uFEFF/, '')
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw error instanceof Fault ? error : new Fault(describeError(error), error)
  }
}
