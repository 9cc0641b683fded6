#!/bin/sh
# An artifact of the component: finds Node.js on the device, and checks or starts the server that lies beside it.
#   sh launch.sh check NODE    ends with 0 when this device can run the server, else with 1 and a line that says why not
#   sh launch.sh run NODE      becomes the server
# NODE is the parameter nodePath. Its default, `node`, means the Node.js of this package, if it has one, else that of the
# PATH. The logic is here and not in the recipe, since there nucleus lite takes every brace for a variable (greengrass
# 0.5) and reads no recipe of more than 8 KiB.
set -u

refuse() {
  echo "aws.greengrass.StreamManager cannot run on this device: $*" >&2
  exit 1
}

action=${1-}
node=${2-}
folder=$(dirname "$0")

# The classic nucleus leaves the variable in place when the parameter is missing (greengrass 2.2), and writes null as a word.
case $node in '' | null | *configuration:*) node=node ;; esac

if [ "$node" = node ]; then
  case $(uname -m) in
    x86_64) shipped="$folder/node-linux-x64" ;;
    aarch64) shipped="$folder/node-linux-arm64" ;;
    *) shipped= ;;
  esac
  if [ -n "$shipped" ] && [ -f "$shipped" ]; then
    [ -x "$shipped" ] || refuse "$shipped may not be executed by $(id -un); deploy the component again"
    node=$shipped
  fi
fi

# Asked without JavaScript: an old Node.js answers the program itself with all of its text, at the first word it does not know.
refuse_old() {
  version=$("$node" --version 2>/dev/null)
  case $version in
    v[0-9].* | v1[0-9].* | v20.[0-9].* | v20.1[0-4].*)
      refuse "it needs Node.js 20.15 or later, and '$node' is $version; set nodePath to the full path of a later one"
      ;;
  esac
}

check() {
  command -v "$node" >/dev/null 2>&1 || refuse "it needs Node.js 20.15 or later, and '$node' is not there for" \
    "$(id -un) in the PATH $PATH; install Node.js, set nodePath to its full path, or deploy a package with Node.js"
  "$node" -e 0 || refuse "'$node' does not work as Node.js (exit code $?); set nodePath to the full path of one that does"
  refuse_old
  "$node" "$folder/stream-manager.cjs" --check
  status=$?
  # A program that meets instructions the processor does not have is killed before it can say so.
  [ "$status" -lt 128 ] || refuse "loading the native parts ended Node.js by signal $((status - 128)):" \
    "they need an x86-64, ARMv8 or ARMv7 processor"
  exit "$status"
}

case $action in
  check) check ;;
  run)
    refuse_old
    # A memory image would hold messages and tokens.
    ulimit -c 0 2>/dev/null
    # Threads for file work: streams that sync must not keep others from it.
    export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-8}"
    exec "$node" "$folder/stream-manager.cjs"
    ;;
  *) refuse "launch.sh was called with '$action' instead of check or run" ;;
esac
