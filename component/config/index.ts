export { type Config, describeConfig, type ExporterConfig, type NucleusAccess } from './config.ts'
export { parseConfig, type ParsedConfig, SECRET_VARIABLES } from './parse-config.ts'
export { VERSION } from './version.ts'
