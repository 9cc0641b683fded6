import type { FrameEvents, FrameViolation } from '../../component/protocol/frame.ts'
import type { MemoryBudget } from '../../component/protocol/frame-collector.ts'

/** What a frame decoder handed out. */
export type FrameEvent =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'frame'; readonly operation: number; readonly payload: Buffer; readonly reservedBytes: number }
  | { readonly kind: 'refused'; readonly operation: number; readonly payloadStart: Buffer }
  | { readonly kind: 'violation'; readonly violation: FrameViolation }

export interface FrameRecorder extends FrameEvents {
  readonly events: FrameEvent[]
}

/** Records all events; `react` is called after each, as the server may call back into the decoder. */
export function recordFrames(react: (event: FrameEvent) => void = () => undefined): FrameRecorder {
  const events: FrameEvent[] = []
  const record = (event: FrameEvent): void => {
    events.push(event)
    react(event)
  }
  return {
    events,
    connectVersion: (version) => record({ kind: 'version', version }),
    frame: (operation, bytes, start, end, reservedBytes) =>
      record({ kind: 'frame', operation, payload: bytes.subarray(start, end), reservedBytes }),
    refused: (operation, payloadStart) => record({ kind: 'refused', operation, payloadStart }),
    violation: (violation) => record({ kind: 'violation', violation })
  }
}

/** A budget of `bytes` that says how much of it is taken. */
export function limitedBudget(bytes: number): MemoryBudget & { readonly takenBytes: number } {
  let takenBytes = 0
  return {
    get takenBytes() {
      return takenBytes
    },
    reserve(wanted) {
      if (takenBytes + wanted > bytes) return false
      takenBytes += wanted
      return true
    },
    release(given) {
      takenBytes -= given
    }
  }
}
