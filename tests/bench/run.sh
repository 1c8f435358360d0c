#!/usr/bin/env bash
# Builds the benchmarks (-O2) and prints the whole table.
#
# Usage: tests/bench/run.sh [--build-dir DIR] [options of the programs: --rounds N, --only TEXT,
#                           --quick, --list]
#
# Rivals that are not installed are skipped. On Debian: apt install libtbb-dev
# libconcurrentqueue-dev libuv1-dev libglib2.0-dev python3-joblib libopenmpi-dev openmpi-bin
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build_dir=build-bench
if [[ ${1:-} == --build-dir ]]; then
  build_dir=${2:?--build-dir needs a folder}
  shift 2
fi
[[ -d $build_dir ]] || meson setup "$build_dir" >/dev/null
ninja -C "$build_dir" bench >/dev/null

echo "$(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
  "Linux $(uname -r), $(${CXX:-g++} --version | head -n 1), load $(cut -d' ' -f1 /proc/loadavg)"
for program in threads loop echo files processes startup; do
  echo
  "$build_dir/tests/bench/bench_$program" "$@"
done
