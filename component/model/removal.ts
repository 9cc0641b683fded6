/** Why retention removes messages: the stream is full, or their time to live is over (behaviour 4.3, 4.5). */
export const REMOVAL_CAUSES = ['overwritten', 'expired'] as const
export type RemovalCause = (typeof REMOVAL_CAUSES)[number]

/** Numbers that retention removed at one go or another: `from` inclusive, `below` exclusive. */
export interface Removal {
  readonly from: number
  readonly below: number
  readonly cause: RemovalCause
}
