export { createExporterHost, type ExporterHost, type ExporterHostOptions } from './host.ts'
export type { ExporterSettings } from './messages.ts'
export { politeSend } from './polite-send.ts'
