import type { StreamDefinition } from '../model/stream-definition.ts'

/** How stored messages and exports bear on each other, beyond what the original does. */
export interface SpacePolicy {
  /** Segments that every enabled export has passed are dropped early. */
  readonly reclaimsExported: boolean
  /** An overwriting stream refuses messages rather than drop what an enabled export has not exported yet. */
  readonly protectsUnexported: boolean
  /**
   * Messages below this number have been exported by every enabled export of the definition, of which there is one at
   * least; 0 when it is not known.
   */
  exportedBelow(streamId: string, definition: StreamDefinition): number
}

/** What the original does: the size of the stream alone decides (behaviour 4.3). */
export const ORIGINAL_SPACE_POLICY: SpacePolicy = {
  reclaimsExported: false,
  protectsUnexported: false,
  exportedBelow: () => 0
}

/** The policy for one stream, as numbers to compare segments with. */
export interface StreamSpace {
  /** Segments that end at or below it may be dropped to make room. */
  droppableBelow(): number
  /** Segments that end at or below it are of no use any more. */
  reclaimableBelow(): number
}

/** @param definition the present one of the stream */
export function streamSpace(policy: SpacePolicy, streamId: string, definition: () => StreamDefinition): StreamSpace {
  const exportedBelow = (withoutExports: number): number => {
    const present = definition()
    const isExported = present.exports.some(({ disabled }) => disabled !== true)
    return isExported ? policy.exportedBelow(streamId, present) : withoutExports
  }
  return {
    droppableBelow: () => (policy.protectsUnexported ? exportedBelow(Infinity) : Infinity),
    reclaimableBelow: () => (policy.reclaimsExported ? exportedBelow(0) : 0)
  }
}
