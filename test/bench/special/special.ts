import type { Settings } from '../compare.ts'

/** A measurement of this server alone that has a table of its own. */
export interface SpecialScenario {
  readonly name: string
  readonly title: string
  readonly note?: string
  /** The first row is the heading. */
  run(settings: SpecialSettings): Promise<string[][]>
}

export interface SpecialSettings extends Settings {
  /** How far stores are filled. */
  readonly storedGib: number
}

export const GIB = 1024 ** 3
