import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** Services that the product talks to, by the names under which requests are signed. */
export type ServiceName = 'kinesis' | 'iotsitewise' | 'iotanalytics' | 's3'

type ShapeType =
  'structure' | 'list' | 'map' | 'blob' | 'string' | 'integer' | 'long' | 'float' | 'double' | 'boolean' | 'timestamp'

/** A shape as the models write it; one without a type is a string. */
export interface Shape {
  readonly shape?: string
  readonly type?: ShapeType
  readonly required?: readonly string[]
  readonly members?: Readonly<Record<string, Shape>>
  readonly member?: Shape
  readonly value?: Shape
  /** Where a member travels; absent: in the body. */
  readonly location?: 'uri' | 'querystring' | 'header' | 'headers'
  readonly locationName?: string
  /** The member that is the whole body. */
  readonly payload?: string
  readonly flattened?: boolean
}

export interface Operation {
  readonly name: string
  readonly method: string
  /** Path template, without a query. */
  readonly path: string
  /** Query parameters of the template, which have no value. */
  readonly flags: readonly string[]
  readonly input: Shape
}

/** What a service takes, from the API models of the SDK for JavaScript, version 2. */
export interface Model {
  readonly service: ServiceName
  readonly protocol: 'json' | 'rest-json' | 'rest-xml'
  readonly targetPrefix: string
  readonly operations: readonly Operation[]
  /** The shape itself, or what it refers to. */
  resolve(shape: Shape): Shape
}

interface ModelFile {
  readonly metadata: { readonly protocol: Model['protocol']; readonly targetPrefix?: string }
  readonly operations: Readonly<
    Record<
      string,
      { readonly http?: { readonly method?: string; readonly requestUri: string }; readonly input?: Shape } | undefined
    >
  >
  readonly shapes: Readonly<Record<string, Shape>>
}

const FILES: Readonly<Record<ServiceName, string>> = {
  kinesis: 'kinesis-2013-12-02',
  iotsitewise: 'iotsitewise-2019-12-02',
  iotanalytics: 'iotanalytics-2017-11-27',
  s3: 's3-2006-03-01'
}

/** Loads the model of a service. @param names the operations that a stand-in serves */
export function loadModel(service: ServiceName, names: readonly string[]): Model {
  const path = createRequire(import.meta.url).resolve(`aws-sdk/apis/${FILES[service]}.min.json`)
  const { metadata, operations, shapes } = JSON.parse(readFileSync(path, 'utf8')) as ModelFile
  return {
    service,
    protocol: metadata.protocol,
    targetPrefix: metadata.targetPrefix ?? '',
    operations: names.map((name) => {
      const operation = operations[name]
      if (operation?.input === undefined) throw new Error(`the model of ${service} has no ${name}`)
      const [path = '/', query = ''] = (operation.http?.requestUri ?? '/').split('?')
      const flags = query.split('&').filter((flag) => flag !== '')
      return { name, method: operation.http?.method ?? 'POST', path, flags, input: operation.input }
    }),
    resolve(shape) {
      const found = shape.shape === undefined ? shape : shapes[shape.shape]
      if (found === undefined) throw new Error(`the model of ${service} has no shape ${shape.shape ?? ''}`)
      return found
    }
  }
}
