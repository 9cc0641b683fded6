# shellcheck shell=bash
# Shared by the scripts of this folder: sourced, never run.

say() { printf '%s\n' "$*" >&2; }

# Installs the dependencies when there are none, or when package-lock.json differs from the one installed.
install_dependencies() {
  local stamp=node_modules/.installed-package-lock.json
  if [ -d node_modules ] && cmp -s package-lock.json "$stamp"; then return; fi
  say 'Installing dependencies...'
  npm ci --no-audit --no-fund 1>&2
  cp package-lock.json "$stamp"
}

# Builds when there is no bundle, or when a source is newer than it.
build_bundle() {
  local bundle=artifacts/stream-manager.cjs
  local sources=(component scripts/*.ts scripts/launch.sh scripts/stream-manager package.json package-lock.json)
  if [ -f "$bundle" ] && [ -z "$(find "${sources[@]}" -newer "$bundle" -print -quit)" ]; then return; fi
  say 'Building...'
  node --import tsx scripts/build.ts 1>&2
}
