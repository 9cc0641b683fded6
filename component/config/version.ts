/** Set by the build from package.json; absent when the sources run unbundled. */
declare const STREAM_MANAGER_VERSION: string | undefined

/** The version of this program, the same as ComponentVersion of the recipe (behaviour 1.1). */
export const VERSION = typeof STREAM_MANAGER_VERSION === 'string' ? STREAM_MANAGER_VERSION : '0.0.0-unbundled'
