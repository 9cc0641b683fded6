export { applyDeclarations, type DeclareOptions } from './apply.ts'
export { readDeclarations, type Declarations, type DeclarationSource, type DeclaredStream } from './declarations.ts'
export { declarationSources } from './sources.ts'
