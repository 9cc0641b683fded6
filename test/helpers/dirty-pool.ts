import assert from 'node:assert/strict'
import type { ArrayBufferPool } from '../../component/base/buffer-pool.ts'

/** What is taken holds garbage, is larger than asked for, and must come back exactly once. */
export function createDirtyPool(spareBytes = 0): { readonly pool: ArrayBufferPool; outstanding(): number } {
  const taken = new Set<ArrayBuffer>()
  return {
    pool: {
      take(bytes) {
        const memory = new Uint8Array(bytes + spareBytes).fill(0xa5).buffer
        taken.add(memory)
        return memory
      },
      giveBack(memory) {
        assert.ok(taken.delete(memory), 'memory is given back once')
        new Uint8Array(memory).fill(0xdb)
      }
    },
    outstanding: () => taken.size
  }
}
