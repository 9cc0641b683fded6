import assert from 'node:assert/strict'
import type { ServiceError } from '../aws-model/errors.ts'
import type { WireExport } from './wire-export.ts'

/**
 * What has to become of the messages when an error answers a request (behaviour 6.6): `wait`: it is repeated for ever and
 * nothing is skipped; `skip`: the offender is found by halving, and skipped alone.
 */
export type ErrorClass = 'wait' | 'skip'

/** A destination that refuses requests in which the message with this number is. */
export interface Refuser {
  readonly wire: WireExport
  /** Requests refused so far. */
  readonly refused: () => number
  /** From now on it accepts everything. */
  readonly heal: () => void
  /** Numbers of the messages it has, in order. */
  readonly arrived: () => Promise<readonly number[]>
}

/** More than any limit on attempts in the product. */
const ATTEMPTS = 8

/** Lets an export of `count` messages meet an error for the message `poison`, and checks the class of the error. */
export async function assertClass(
  expected: ErrorClass,
  error: ServiceError,
  { wire, refused, heal, arrived }: Refuser,
  count: number,
  poison: number
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number)
  const sorted = async (): Promise<number[]> => [...new Set(await arrived())].sort((left, right) => left - right)
  if (expected === 'skip') {
    await wire.finish()
    assert.equal(wire.skipped, 1, `${error.name}: the offender alone is skipped`)
    assert.deepEqual(
      await sorted(),
      numbers.filter((number) => number !== poison),
      error.name
    )
    return
  }
  await wire.until(() => refused() >= ATTEMPTS || wire.next > poison)
  assert.ok(refused() >= ATTEMPTS, `${error.name}: the request is repeated`)
  assert.ok(wire.next <= poison, `${error.name}: the position stays`)
  assert.equal(wire.skipped, 0, error.name)
  assert.match(statusOf(wire), new RegExp(error.name), 'people see the error')
  heal()
  await wire.finish()
  assert.equal(wire.skipped, 0, error.name)
  assert.deepEqual(await sorted(), numbers, error.name)
}

function statusOf({ harness, source }: WireExport): string {
  return harness.engine.statuses(source.streamId)[0]?.errorMessage ?? ''
}
