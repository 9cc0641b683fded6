/** Where the file of a task may lie: the paths to try in turn, or why there is none. */
export type InputPaths =
  { readonly ok: true; readonly paths: readonly string[] } | { readonly ok: false; readonly problem: string }

const SCHEME = /^([a-zA-Z][a-zA-Z0-9+.-]*):/
const DRIVE = /^\/?[a-zA-Z]:[\\/]/

/**
 * Reads the inputUrl of a task (behaviour 10.2): `file:` in all the forms seen in the field, or an absolute path. The text
 * is tried as it is, and percent-decoded when it looks encoded.
 */
export function inputPaths(inputUrl: string): InputPaths {
  if (inputUrl.includes('\0')) return refused('the input URL contains a NUL character')
  const scheme = DRIVE.test(inputUrl) ? undefined : SCHEME.exec(inputUrl)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== 'file') return refused('the input URL has another scheme than file')
  const location = scheme === undefined ? inputUrl : withoutAuthority(inputUrl.slice(scheme.length + 1))
  if (location === undefined) return refused('the input URL names another host')
  const path = DRIVE.test(location) ? location.replace(/^\//, '') : location
  if (!DRIVE.test(path) && !path.startsWith('/')) return refused('the input URL is not an absolute path')
  const decoded = percentDecoded(path)
  return { ok: true, paths: decoded === undefined || decoded === path ? [path] : [path, decoded] }
}

function refused(problem: string): InputPaths {
  return { ok: false, problem }
}

/** Takes `//`, and a host that is this one, from the front. @returns undefined for another host */
function withoutAuthority(text: string): string | undefined {
  if (!text.startsWith('//')) return text
  const rest = text.slice(2)
  if (rest.startsWith('/') || DRIVE.test(rest)) return rest.replace(/^\/+(?=\/)/, '')
  const slash = rest.indexOf('/')
  const host = slash === -1 ? rest : rest.slice(0, slash)
  return host.toLowerCase() === 'localhost' ? rest.slice(host.length) : undefined
}

/** @returns undefined when nothing is encoded, or not properly */
function percentDecoded(path: string): string | undefined {
  if (!/%[0-9a-fA-F]{2}/.test(path)) return undefined
  try {
    const decoded = decodeURIComponent(path)
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}
