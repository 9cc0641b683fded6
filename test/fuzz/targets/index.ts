import type { FuzzTarget } from '../target.ts'
import { catalogue } from './catalogue.ts'
import { cbor } from './cbor.ts'
import { connection } from './connection.ts'
import { frames } from './frames.ts'
import { httpTargets } from './http-targets.ts'
import { requests } from './requests.ts'
import { s3Tasks } from './s3-tasks.ts'
import { segments } from './segments.ts'
import { simulation } from './simulation.ts'
import { sitewise } from './sitewise.ts'

/** All targets, cheap ones first. */
export function createTargets(): FuzzTarget[] {
  return [frames, cbor, requests, catalogue, s3Tasks, sitewise, httpTargets, segments, connection, simulation]
}
