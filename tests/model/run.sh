#!/usr/bin/env bash
# Checks the models with spin: the real ones must hold, each mutant must fail.
#
# Usage: tests/model/run.sh [model.pml...]      exits 77 (skipped) when spin or a C compiler is missing
set -euo pipefail
models=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v spin >/dev/null && command -v cc >/dev/null || {
  echo "spin or cc is missing: skipped"
  exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# check MODEL MUTANT: whether every run of it is well
check() {
  spin -a -DMUTANT="$2" "$1" >spin.log 2>&1 || { cat spin.log; exit 1; }
  cc -O1 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=4096 -o pan pan.c
  ./pan -m1000000 -w24 >pan.log 2>&1 || { cat pan.log; exit 1; }
  if grep -q "search depth too small\|out of memory" pan.log; then
    cat pan.log
    exit 1
  fi
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
  grep -q "errors: 0" pan.log
}

failed=0
(($#)) || set -- "$models"/*.pml
for model; do
  mutants=$(sed -n 's/^   \([1-9]\) .*/\1/p' "$model")
  if check "$model" 0; then
    echo "ok    $(basename "$model"): $states states, no error"
  else
    grep -E "^pan|error" pan.log
    spin -t -p -g -DMUTANT=0 "$model" 2>/dev/null | tail -n 60
    echo "FAIL  $(basename "$model")"
    failed=1
  fi
  for mutant in $mutants; do
    if check "$model" "$mutant"; then
      echo "FAIL  $(basename "$model"): nobody notices mutant $mutant"
      failed=1
    else
      echo "ok    $(basename "$model"), mutant $mutant: $(sed -n 's/^pan:[0-9]*: //p' pan.log | head -n 1)"
    fi
  done
done
exit $failed
