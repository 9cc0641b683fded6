import { MIB } from './limits.ts'

const SETTLING_BYTES = 16 * MIB

/**
 * Keeps the C library from giving the memory of every large request back to the system, only to fault it in anew for the
 * next one. Above a threshold, which is 128 KiB at first, glibc maps each block by itself, and it trims its heap at twice
 * that; freeing a mapped block lifts both to the size of that block (mallopt(3), M_MMAP_THRESHOLD). So one block is
 * taken and left to the collector. Nothing is written to it: it costs addresses, no memory. Other C libraries are not
 * impressed.
 */
export function settleAllocator(): void {
  Buffer.allocUnsafeSlow(SETTLING_BYTES)
}
