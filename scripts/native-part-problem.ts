/**
 * Says in one sentence, from the loader's words, why an addon could not be loaded and what to do about it.
 * @param file name of the addon
 * @param message what the loader of glibc, or of musl, said
 */
export function explainLoadError(file: string, message: string): string {
  const needed = /version [`'](GLIBC(?:XX)?_[\d.]+)' not found/.exec(message)
  if (needed !== null)
    return (
      `the C library or libstdc++ of this system is too old for ${file}, which needs ${String(needed[1])}: use a system with ` +
      'glibc 2.34 and GCC 11 or later, as Debian 12, Ubuntu 22.04 and Amazon Linux 2023'
    )
  if (/libc\.musl|ld-linux|Error (?:loading|relocating)/.test(message))
    return `${file} needs glibc 2.34 or later; systems with musl, as Alpine, are not supported (${message})`
  return `${file} is damaged or was made for another processor: deploy the component again (${message})`
}
