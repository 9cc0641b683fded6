/** One entry for every so many bytes of a segment; a power of two below 2^16 + 1. */
export const INDEX_SLOT_BYTES = 65_536

const SLOTS_MIN = 16
const RELATIVE_SEQUENCE_MAX = 2 ** 32 - 2

/**
 * Where to start looking for a number in a segment: for each slot of 64 KiB the first record that starts in it, once a
 * scan has come past. 6 bytes per slot; unknown slots only make a search longer.
 */
export interface SparseIndex {
  /** A record with this number starts at this offset. Only the first of a slot is kept. */
  note(sequence: number, offset: number): void
  /** The last known record at or before this number, or undefined. */
  find(sequence: number): { readonly sequence: number; readonly offset: number } | undefined
}

/** @param base the number that the segment begins with */
export function createSparseIndex(base: number): SparseIndex {
  /** Number relative to the base, plus one; 0 is unknown. */
  let sequences = new Uint32Array(SLOTS_MIN)
  let offsets = new Uint16Array(SLOTS_MIN)
  let slotsEnd = 0

  const grow = (slots: number): void => {
    const size = 2 ** Math.ceil(Math.log2(slots))
    const grownSequences = new Uint32Array(size)
    const grownOffsets = new Uint16Array(size)
    grownSequences.set(sequences)
    grownOffsets.set(offsets)
    sequences = grownSequences
    offsets = grownOffsets
  }

  /** The last known slot in [from, to), or -1. */
  const lastKnown = (from: number, to: number): number => {
    for (let slot = to - 1; slot >= from; slot--) if (sequences[slot] !== 0) return slot
    return -1
  }

  return {
    note(sequence, offset) {
      const slot = Math.floor(offset / INDEX_SLOT_BYTES)
      if (slot < slotsEnd && sequences[slot] !== 0) return
      const relative = sequence - base
      if (relative < 0 || relative > RELATIVE_SEQUENCE_MAX) return
      if (slot >= sequences.length) grow(slot + 1)
      slotsEnd = Math.max(slotsEnd, slot + 1)
      sequences[slot] = relative + 1
      offsets[slot] = offset % INDEX_SLOT_BYTES
    },
    find(sequence) {
      const wanted = sequence - base + 1
      let low = 0
      let high = slotsEnd
      let best = -1
      while (low < high) {
        const middle = lastKnown(low, ((low + high) >>> 1) + 1)
        if (middle === -1) {
          low = ((low + high) >>> 1) + 1
        } else if ((sequences[middle] ?? 0) <= wanted) {
          best = middle
          low = Math.max(middle, (low + high) >>> 1) + 1
        } else {
          high = middle
        }
      }
      if (best === -1) return undefined
      return { sequence: base + (sequences[best] ?? 1) - 1, offset: best * INDEX_SLOT_BYTES + (offsets[best] ?? 0) }
    }
  }
}
