#!/bin/sh
# full.sh BUILD-FOLDER [SCALE] - the long run: every stress program at SCALE times its usual size (default
# 2), the number of elements added up, and 10,000 runs of the deterministic scenes. Takes some minutes.
#
# As a test of its own it is skipped: the usual sizes are what `ctest` runs.
set -u
if [ $# -eq 0 ]; then
    echo "SKIP: the long run is started by hand: tests/stress/full.sh BUILD-FOLDER"
    exit 77
fi
build=$1
RUNNEL_TEST_SCALE=${2:-2}
export RUNNEL_TEST_SCALE
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
total=0
for program in flow closing deadlines lifetime newcomers idle sizes; do
    echo "== $program, scale $RUNNEL_TEST_SCALE"
    if ! "$build/tests/stress/$program" >"$dir/out" 2>&1; then
        failed=1
    fi
    grep -v '^elements ' "$dir/out"
    n=$(awk '$1 == "elements" { n += $2 } END { printf "%d", n }' "$dir/out")
    echo "$n elements"
    total=$((total + n))
done
echo "== $total elements in all"
if [ "$total" -lt 100000000 ]; then
    echo "fewer than 100,000,000: raise the scale"
    failed=1
fi
echo "== deterministic scenes"
RUNNEL_BUILD=$build RUNNEL_TEST_SCALE=1 sh "$(dirname "$0")/seeds.sh" 1140 || failed=1
exit $failed
