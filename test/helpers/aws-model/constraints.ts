import type { ServiceName } from './model.ts'

/** What the documentation says of a value beside its type. */
export interface Constraint {
  /** Characters of a text, bytes of a blob, members of a list, or the value of a number. */
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
  readonly oneOf?: readonly string[]
}

const UUID = /^(?!00000000-0000-0000-0000-000000000000)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const KINESIS_NAME: Constraint = { min: 1, max: 128, pattern: /^[a-zA-Z0-9_.-]+$/ }
const KINESIS_ARN: Constraint = { min: 1, max: 2_048, pattern: /^arn:aws.*:kinesis:.*:\d{12}:stream\/\S+$/ }

/*
 * Lengths, patterns and values that the models do not hold, by `Operation.member.member[]`:
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html, API_PutRecordsRequestEntry, API_ListShards
 * https://docs.aws.amazon.com/iot-sitewise/latest/APIReference/API_BatchPutAssetPropertyValue.html,
 *   API_PutAssetPropertyValueEntry, API_AssetPropertyValue, API_TimeInNanos
 * https://docs.aws.amazon.com/iotanalytics/latest/APIReference/API_BatchPutMessage.html, API_Message
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html, object-keys.html, bucketnamingrules.html
 */
const CONSTRAINTS: Readonly<Record<ServiceName, Readonly<Record<string, Constraint>>>> = {
  kinesis: {
    'PutRecords.StreamName': KINESIS_NAME,
    'PutRecords.StreamARN': KINESIS_ARN,
    'PutRecords.Records': { min: 1, max: 500 },
    'PutRecords.Records[].Data': { min: 0, max: 10_485_760 },
    'PutRecords.Records[].PartitionKey': { min: 1, max: 256 },
    'PutRecords.Records[].ExplicitHashKey': { pattern: /^(0|[1-9]\d{0,38})$/ },
    'ListShards.StreamName': KINESIS_NAME,
    'ListShards.StreamARN': KINESIS_ARN,
    'ListShards.NextToken': { min: 1, max: 1_048_576 },
    'ListShards.ExclusiveStartShardId': KINESIS_NAME,
    'ListShards.MaxResults': { min: 1, max: 10_000 }
  },
  iotsitewise: {
    'BatchPutAssetPropertyValue.entries': { min: 1, max: 10 },
    'BatchPutAssetPropertyValue.entries[].entryId': { min: 1, max: 64, pattern: /^[a-zA-Z0-9_-]+$/ },
    'BatchPutAssetPropertyValue.entries[].assetId': { pattern: UUID },
    'BatchPutAssetPropertyValue.entries[].propertyId': { pattern: UUID },
    // eslint-disable-next-line no-control-regex
    'BatchPutAssetPropertyValue.entries[].propertyAlias': { min: 1, max: 2_048, pattern: /^[^\u0000-\u001f\u007f]+$/ },
    'BatchPutAssetPropertyValue.entries[].propertyValues': { min: 1, max: 10 },
    'BatchPutAssetPropertyValue.entries[].propertyValues[].quality': { oneOf: ['GOOD', 'BAD', 'UNCERTAIN'] },
    'BatchPutAssetPropertyValue.entries[].propertyValues[].timestamp.timeInSeconds': {
      min: 1,
      max: 9_223_372_036_854_774
    },
    'BatchPutAssetPropertyValue.entries[].propertyValues[].timestamp.offsetInNanos': { min: 0, max: 999_999_999 }
  },
  iotanalytics: {
    'BatchPutMessage.channelName': { min: 1, max: 128, pattern: /^(?!__)[a-zA-Z0-9_]+$/ },
    'BatchPutMessage.messages': { min: 1, max: 100 },
    // eslint-disable-next-line no-control-regex
    'BatchPutMessage.messages[].messageId': { min: 1, max: 128, pattern: /^[\u0000-\u007f]*$/ },
    'BatchPutMessage.messages[].payload': { max: 131_072 }
  },
  s3: Object.fromEntries(
    [
      'PutObject',
      'CreateMultipartUpload',
      'UploadPart',
      'ListParts',
      'CompleteMultipartUpload',
      'AbortMultipartUpload'
    ].flatMap((operation): [string, Constraint][] => [
      [`${operation}.Bucket`, { min: 3, max: 63, pattern: /^[a-z0-9][a-z0-9.-]*[a-z0-9]$/ }],
      [`${operation}.Key`, { min: 1, max: 1_024 }],
      [`${operation}.UploadId`, { min: 1 }],
      [`${operation}.PartNumber`, { min: 1, max: 10_000 }],
      [`${operation}.PartNumberMarker`, { min: 0, max: 10_000 }],
      [`${operation}.MaxParts`, { min: 1, max: 1_000 }],
      [`${operation}.ContentLength`, { min: 0, max: 5 * 1024 ** 3 }],
      [`${operation}.ChecksumCRC32`, { pattern: /^[A-Za-z0-9+/]{6}==$/ }],
      [`${operation}.ChecksumAlgorithm`, { oneOf: ['CRC32', 'CRC32C', 'SHA1', 'SHA256', 'CRC64NVME'] }],
      [`${operation}.MultipartUpload.Parts`, { min: 1, max: 10_000 }],
      [`${operation}.MultipartUpload.Parts[].PartNumber`, { min: 1, max: 10_000 }]
    ])
  )
}

/** @param path `Operation.member`, with `[]` behind a list */
export function constraintOf(service: ServiceName, path: string): Constraint | undefined {
  return CONSTRAINTS[service][path]
}
