#!/usr/bin/env bash
# Builds Brigade and passes all its tests.
#
# Usage: tests/run.sh [--no-install] [--build-dir DIR] [--suite NAME]... [--repeat N] [--no-skip]
#                     [--sanitize address,undefined|thread] [-- options of meson setup]
#
# On Debian 12 or newer this does all set-up: it installs missing packages when it may, otherwise
# prints the apt line and exits 3. Suites: house (not with --sanitize), runtime, executors,
# contract, demos; all of them when none is named. --no-skip: a skipped test has failed.
# The last line is `N passed, N failed`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../demos/setup.sh"

may_install=yes
build_dir=
sanitizers=
count_options=()
suites=()
repeat=1
while (($#)); do
  case $1 in
    --no-install) may_install=no ;;
    --no-skip) count_options=(--no-skip) ;;
    --build-dir) shift && build_dir=${1:?--build-dir needs a folder} ;;
    --suite) shift && suites+=("${1:?--suite needs a name}") ;;
    --repeat) shift && repeat=${1:?--repeat needs a number} ;;
    --sanitize) shift && sanitizers=${1:?--sanitize needs a list} ;;
    --) shift && break ;;
    -h | --help)
      sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit
      ;;
    *)
      say "tests/run.sh: '$1' is not an option. See --help."
      exit 2
      ;;
  esac
  shift
done

install_packages "$may_install"

if [[ -n $sanitizers ]]; then
  : "${build_dir:=$source_dir/build-${sanitizers%%,*}}"
  build_options=(-Db_sanitize="$sanitizers" -Db_lundef=false -Doptimization=1 -Ddebug=false
    -Dcpp_args=-g1 -Ddefault_library=shared)
  # Every report of every process, workers too, becomes a file: none gets lost.
  reports=$build_dir/reports
  rm -rf "$reports"
  mkdir -p "$reports"
  count_options+=(--reports "$reports")
  for sanitizer in ASAN LSAN TSAN UBSAN; do
    variable=${sanitizer}_OPTIONS
    export "$variable=${!variable:-}:log_path=$reports/report"
  done
fi
: "${build_dir:=$source_dir/build}"

configure "$build_dir" "${build_options[@]}" "$@"
ninja -C "$build_dir" all meson-test-prereq || {  # newer Meson: all does not hold the tests
  say "The build failed."
  echo "0 passed, 1 failed"
  exit 1
}
rm -f "$build_dir/meson-logs/testlog.json"
meson test -C "$build_dir" --no-rebuild --print-errorlogs --num-processes 2 --repeat "$repeat" \
  "${suites[@]/#/--suite=}" || true  # count.py judges
python3 "$source_dir/tests/support/count.py" "${count_options[@]}" \
  "$build_dir/meson-logs/testlog.json"
