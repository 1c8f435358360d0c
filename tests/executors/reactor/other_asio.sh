#!/bin/bash
# other_asio.sh LIBRARY SCRATCH INCLUDES... -- COMPILER OPTIONS...: a program that was compiled with
# other Asio definitions than the library does not link, and the message names Asio.
set -euo pipefail

library=$1
scratch=$(mktemp -d "$2.XXXXXX")  # another run of this test may be going on
trap 'rm -rf "$scratch"' EXIT
shift 2
includes=()
while [[ $1 != -- ]]; do
  includes+=(-I"$1")
  shift
done
shift

cat > "$scratch/program.cpp" <<'SOURCE'
#include <brigade/reactor/io_context.hpp>
int main() {}
SOURCE

link() {
  "$@" -std=c++20 -c "$scratch/program.cpp" -o "$scratch/program.o"
  "${compiler[@]}" "$scratch/program.o" "$library" -Wl,-rpath,"$(dirname "$library")" \
    -Wl,--allow-shlib-undefined -o "$scratch/program" 2> "$scratch/message"
}

compiler=("$@")
link "$@" "${includes[@]}" || {
  cat "$scratch/message"
  echo 'a program with the same Asio does not link' >&2
  exit 1
}
if link "$@" "${includes[@]}" -DASIO_ENABLE_HANDLER_TRACKING; then
  echo 'a program with another Asio links' >&2
  exit 1
fi
grep -q 'program_and_brigade_use_one_asio' "$scratch/message"
