#!/usr/bin/env bash
# Builds Brigade and lets the kitchens cook: who is fastest, and why.
#
# Usage: demos/run.sh [--no-install] [--build-dir DIR] [options of `brigade kitchen`]
#
# On Debian 12 or newer this does all set-up: it installs missing packages when it may, otherwise
# prints the apt line and exits 3.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

may_install=yes
build_dir=$source_dir/build
while (($#)); do
  case $1 in
    --no-install) may_install=no ;;
    --build-dir) shift && build_dir=${1:?--build-dir needs a folder} ;;
    -h | --help)
      sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit
      ;;
    *) break ;;
  esac
  shift
done

install_packages "$may_install"
configure "$build_dir" "${build_options[@]}"
say "Building ..."
ninja -C "$build_dir" demos/brigade > "$build_dir/demos.log" || {
  cat "$build_dir/demos.log" >&2
  exit 1
}

result=$build_dir/kitchen.json
trace=$build_dir/kitchen-trace.json
"$build_dir/demos/brigade" kitchen --export-json "$result" --export-trace "$trace" "$@"
printf '\nWrote %s\n      %s (opens in Perfetto)\n' "$result" "$trace"
