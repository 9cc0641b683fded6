export { announce } from './announce.ts'
export { connectNucleus } from './connect.ts'
export type { Nucleus } from './nucleus.ts'
export { byteCounters, startTelemetry } from './telemetry.ts'
