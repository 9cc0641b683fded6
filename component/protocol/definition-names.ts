import {
  EXPORT_FORMAT_NUMBERS,
  PERSISTENCE_NUMBERS,
  STATUS_LEVEL_NUMBERS,
  STRATEGY_NUMBERS
} from './definition-fields.ts'

/*
 * The enums of definitions by the names that the client libraries give them (protocol 6), with their numbers on the wire:
 * for definitions that people write.
 */

export const STRATEGY_NAMES = {
  RejectNewData: STRATEGY_NUMBERS.rejectNewData,
  OverwriteOldestData: STRATEGY_NUMBERS.overwriteOldestData
} as const
export const PERSISTENCE_NAMES = { File: PERSISTENCE_NUMBERS.file, Memory: PERSISTENCE_NUMBERS.memory } as const
export const EXPORT_FORMAT_NAMES = {
  RAW_NOT_BATCHED: EXPORT_FORMAT_NUMBERS.rawNotBatched,
  JSON_BATCHED: EXPORT_FORMAT_NUMBERS.jsonBatched
} as const
export const STATUS_LEVEL_NAMES = {
  ERROR: STATUS_LEVEL_NUMBERS.error,
  WARN: STATUS_LEVEL_NUMBERS.warn,
  INFO: STATUS_LEVEL_NUMBERS.info,
  DEBUG: STATUS_LEVEL_NUMBERS.debug,
  TRACE: STATUS_LEVEL_NUMBERS.trace
} as const
