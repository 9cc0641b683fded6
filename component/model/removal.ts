/**
 * Why retention removes messages: the stream is full, or their time to live is over (behaviour 4.3, 4.5); all enabled
 * exports had them and their space was wanted back; or another stream needed the space of the common budget. What is
 * stored has the place of a cause here: new ones go to the end.
 */
export const REMOVAL_CAUSES = ['overwritten', 'expired', 'reclaimed', 'evicted'] as const
export type RemovalCause = (typeof REMOVAL_CAUSES)[number]

/** Numbers that retention removed at one go or another: `from` inclusive, `below` exclusive. */
export interface Removal {
  readonly from: number
  readonly below: number
  readonly cause: RemovalCause
}
