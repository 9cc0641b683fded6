import { KIB, MIB } from '../base/limits.ts'

/** What the server takes from JVM_ARGS (behaviour 1.3): a drop-in replacement meets the arguments of a Java program. */
export interface JvmArguments {
  /** From -Xmx, bytes. */
  readonly memoryTargetBytes: number | undefined
  /** From -Daws.s3UseUsEast1RegionalEndpoint. */
  readonly s3UsEast1Endpoint: 'regional' | 'legacy' | undefined
  /** Arguments without a meaning here, as written. */
  readonly ignored: readonly string[]
}

const MAX_HEAP = /^-Xmx(\d{1,15})([kKmMgG]?)$/
const US_EAST_1_ENDPOINT = /^-Daws\.s3UseUsEast1RegionalEndpoint=(regional|legacy)$/i
const UNIT_BYTES: Readonly<Record<string, number>> = { k: KIB, m: MIB, g: KIB * MIB }

/** Reads the arguments, separated by blanks; later ones win, as in a JVM. Never fails. */
export function parseJvmArguments(text: string): JvmArguments {
  const parsed: { -readonly [Key in keyof JvmArguments]: JvmArguments[Key] } & { ignored: string[] } = {
    memoryTargetBytes: undefined,
    s3UsEast1Endpoint: undefined,
    ignored: []
  }
  for (const argument of text.split(/\s+/).filter((part) => part !== '')) {
    const heap = MAX_HEAP.exec(argument)
    const endpoint = US_EAST_1_ENDPOINT.exec(argument)
    const heapBytes = heap === null ? 0 : Number(heap[1]) * (UNIT_BYTES[heap[2]?.toLowerCase() ?? ''] ?? 1)
    if (heapBytes > 0 && Number.isSafeInteger(heapBytes)) parsed.memoryTargetBytes = heapBytes
    else if (endpoint !== null) parsed.s3UsEast1Endpoint = isLegacy(endpoint[1]) ? 'legacy' : 'regional'
    else parsed.ignored.push(argument)
  }
  return parsed
}

function isLegacy(choice: string | undefined): boolean {
  return choice?.toLowerCase() === 'legacy'
}
