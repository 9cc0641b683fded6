export { CatalogueFull, type Catalogue, type CatalogueChange } from './change.ts'
export { openCatalogue, type CatalogueOptions } from './open-catalogue.ts'
export { probeCatalogue, probeInChild } from './probe.ts'
export { inspectCatalogue, type CatalogueInspection } from './inspect.ts'
