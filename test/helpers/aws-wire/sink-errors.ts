import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMMON_CONTENT_ERRORS, COMMON_ERRORS, documentedErrors, type ServiceError } from '../aws-model/errors.ts'
import { assertClass, type ErrorClass } from './error-class.ts'
import type { WireExport } from './wire-export.ts'

/** A stand-in that refuses requests, or single messages of them, by what the service knows a message by. */
export interface RefusingCloud<Item> {
  /** Answers requests that hold a poisoned message. */
  poison: ServiceError
  isPoison: (item: Item) => boolean
  /** Code with which a message fails within an accepted request. */
  failMessage: (item: Item) => string | undefined
  readonly violations: readonly string[]
}

/** An export of messages numbered from 0 to `MESSAGES` - 1. */
export interface ErrorScene<Item> {
  readonly cloud: RefusingCloud<Item>
  readonly wire: WireExport
  /** Numbers that the service has. */
  readonly arrived: () => readonly number[]
}

export interface ErrorTables<Item> {
  readonly service: 'iotsitewise' | 'iotanalytics'
  readonly operation: string
  /** Every error that the documentation of the operation names. */
  readonly requestErrors: Readonly<Record<string, ErrorClass>>
  /** Every code with which a single message may fail. */
  readonly messageErrors: Readonly<Record<string, ErrorClass>>
  /** Requests that a message costs before it is skipped for its code; 1 unless named. */
  readonly refusals?: Readonly<Record<string, number>>
  /** Errors beyond those of the documentation, all of which have to be waited for. */
  readonly others?: readonly ServiceError[]
  /** Whether this is the message that is refused, number `POISON`. */
  readonly isPoison: (item: Item) => boolean
  readonly start: () => Promise<ErrorScene<Item>>
}

export const MESSAGES = 7
export const POISON = 3
/** What a service says of content that it cannot take. */
const CONTENT_ERRORS: Readonly<Record<string, ErrorClass>> = {
  RequestEntityTooLargeException: 'skip',
  ValidationError: 'skip',
  ValidationException: 'skip'
}

/** Makes a test of each error that a service may answer, for a request and for one message of it. */
export function testErrors<Item>(tables: ErrorTables<Item>): void {
  const { service, operation, requestErrors, messageErrors, refusals = {}, others = [], isPoison, start } = tables
  const documented = documentedErrors(service, operation)

  /** @param refuse makes the cloud refuse what holds the message, and call `count` each time */
  async function check(
    expected: ErrorClass,
    error: ServiceError,
    refuse: (cloud: RefusingCloud<Item>, count: () => void) => void
  ): Promise<number> {
    const { cloud, wire, arrived } = await start()
    let refused = 0
    refuse(cloud, () => (refused += 1))
    const heal = (): void => {
      cloud.isPoison = () => false
      cloud.failMessage = () => undefined
    }
    const refuser = { wire, refused: () => refused, heal, arrived: () => Promise.resolve(arrived()) }
    await assertClass(expected, error, refuser, MESSAGES, POISON)
    assert.deepEqual(cloud.violations, [])
    return refused
  }

  test('the tables are complete', () => {
    assert.deepEqual(Object.keys(requestErrors), documented.map(({ name }) => name).sort())
    assert.deepEqual(Object.keys(CONTENT_ERRORS), COMMON_CONTENT_ERRORS.map(({ name }) => name).sort())
  })

  const common = COMMON_ERRORS.filter(({ name }) => requestErrors[name] === undefined)
  for (const error of [...documented, ...common, ...COMMON_CONTENT_ERRORS, ...others]) {
    const expected = requestErrors[error.name] ?? CONTENT_ERRORS[error.name] ?? 'wait'
    test(`a request that meets ${error.name}: ${expected}`, async () => {
      await check(expected, error, (cloud, count) => {
        cloud.poison = error
        cloud.isPoison = (item) => {
          if (isPoison(item)) count()
          return isPoison(item)
        }
      })
    })
  }

  for (const name of [...Object.keys(messageErrors), 'SomethingNewException']) {
    const expected = messageErrors[name] ?? 'wait'
    test(`a message that meets ${name}: ${expected}`, async () => {
      const refused = await check(expected, { name, status: 200 }, (cloud, count) => {
        cloud.failMessage = (item) => {
          if (!isPoison(item)) return undefined
          count()
          return name
        }
      })
      if (expected === 'skip') assert.equal(refused, refusals[name] ?? 1)
    })
  }
}
