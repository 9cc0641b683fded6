import type { ExportDefinition, ExportKind } from '../model/export-definition.ts'
import { fail, success, type Result } from '../model/failure.ts'
import type { StreamDefinition } from '../model/stream-definition.ts'
import { decodeCborMap } from './cbor-decoder.ts'
import { encodeCborMap, wireInteger, type WireMap } from './cbor-encoder.ts'
import {
  EXPORT_FORMAT_NUMBERS,
  PERSISTENCE_NUMBERS,
  readDefinition,
  SITEWISE_KEY,
  STATUS_LEVEL_NUMBERS,
  STRATEGY_NUMBERS,
  type DefinitionRules
} from './definition-fields.ts'
import { Fields } from './fields.ts'
import { omitUndefined } from './omit-undefined.ts'

/** Whatever interval was accepted when the definition was made. */
const STORED_DEFINITION_RULES: DefinitionRules = { batchIntervalMinMs: 1 }

/**
 * A definition as the CBOR map of the wire: for the answer to describe, the catalogue and the segment headers.
 * `decodeDefinition` gives back an equal definition.
 */
export function encodeDefinition(definition: StreamDefinition): Buffer {
  return encodeCborMap(definitionToWire(definition))
}

/**
 * Reads what `encodeDefinition` wrote. Types and ranges are checked, but not the rules that a later version may have
 * made stricter for new definitions (see definition-policy.ts): a stored stream stays usable.
 */
export function decodeDefinition(bytes: Buffer): Result<StreamDefinition> {
  const decoded = decodeCborMap(bytes)
  if (!decoded.ok) return fail('invalidRequest', `the definition cannot be decoded: ${decoded.reason}`)
  const fields = new Fields(decoded.map, 'definition')
  const definition = readDefinition(fields, STORED_DEFINITION_RULES)
  return fields.problems.length === 0 ? success(definition) : fail('invalidRequest', fields.problems.join(' '))
}

/** A MessageStreamDefinition with all export lists, empty ones too, as the original sends it (protocol 13). */
export function definitionToWire(definition: StreamDefinition): WireMap {
  const { exports } = definition
  return {
    name: definition.name,
    maxSize: wireInteger(definition.maxSizeBytes),
    streamSegmentSize: definition.segmentSizeBytes,
    ...(definition.timeToLiveMs === undefined ? {} : { timeToLiveMillis: wireInteger(definition.timeToLiveMs) }),
    strategyOnFull: STRATEGY_NUMBERS[definition.strategyOnFull],
    persistence: PERSISTENCE_NUMBERS[definition.persistence],
    flushOnWrite: definition.flushOnWrite,
    exportDefinition: {
      http: exportsToWire(exports, 'http'),
      iotAnalytics: exportsToWire(exports, 'iotAnalytics'),
      kinesis: exportsToWire(exports, 'kinesis'),
      [SITEWISE_KEY]: exportsToWire(exports, 'sitewise'),
      s3TaskExecutor: exportsToWire(exports, 's3')
    }
  }
}

function exportsToWire(exports: readonly ExportDefinition[], kind: ExportKind): readonly WireMap[] {
  return exports.filter((definition) => definition.kind === kind).map(exportToWire)
}

function exportToWire(definition: ExportDefinition): WireMap {
  const { identifier } = definition
  switch (definition.kind) {
    case 'http': {
      const { exportFormat } = definition
      const format = exportFormat === undefined ? {} : { exportFormat: EXPORT_FORMAT_NUMBERS[exportFormat] }
      return { identifier, uri: definition.uri, ...batchingToWire(definition), ...format }
    }
    case 'iotAnalytics': {
      const { iotChannel, iotMsgIdPrefix } = definition
      return { identifier, iotChannel, ...omitUndefined({ iotMsgIdPrefix }), ...batchingToWire(definition) }
    }
    case 'kinesis':
      return { identifier, kinesisStreamName: definition.kinesisStreamName, ...batchingToWire(definition) }
    case 'sitewise':
      return { identifier, ...batchingToWire(definition) }
    case 's3':
      return s3TaskToWire(definition)
  }
}

function batchingToWire(definition: Exclude<ExportDefinition, { kind: 's3' }>): WireMap {
  const { batchSize, batchIntervalMs, priority, startSequenceNumber, disabled } = definition
  return omitUndefined({
    batchSize,
    batchIntervalMillis: optionalWireInteger(batchIntervalMs),
    priority,
    startSequenceNumber: optionalWireInteger(startSequenceNumber),
    disabled
  })
}

function s3TaskToWire(definition: Extract<ExportDefinition, { kind: 's3' }>): WireMap {
  const { identifier, sizeThresholdForMultipartUploadBytes, priority, disabled, statusConfig } = definition
  const status =
    statusConfig &&
    omitUndefined({
      statusLevel: statusConfig.statusLevel && STATUS_LEVEL_NUMBERS[statusConfig.statusLevel],
      statusStreamName: statusConfig.statusStreamName
    })
  return omitUndefined({
    identifier,
    sizeThresholdForMultipartUploadBytes: optionalWireInteger(sizeThresholdForMultipartUploadBytes),
    priority,
    disabled,
    statusConfig: status
  })
}

function optionalWireInteger(value: number | bigint | undefined): number | bigint | undefined {
  return value === undefined ? undefined : wireInteger(value)
}
