#!/bin/sh
# seeds.sh [N] - runs every scene of scenarios.c under N seeds of the deterministic policy (default: 100,
# multiplied by RUNNEL_TEST_SCALE; full.sh asks for 1250, which makes 10,000 runs). Every tenth seed runs
# twice and must print the same trace hash both times.
#
# runnel-test: timeout=900 not=emulated
set -u
program=$RUNNEL_BUILD/tests/stress/scenarios
n=${1:-$(awk -v s="${RUNNEL_TEST_SCALE:-1}" 'BEGIN { n = int(100 * s); print n < 3 ? 3 : n }')}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# run ITEM SEED FILE - prints nothing, leaves the hash line in FILE
run() {
    if ! RUNNEL_DEBUG=seed=$2,tracehash=1 timeout 120 "$program" "$1" >"$dir/out" 2>"$dir/err"; then
        echo "FAIL: RUNNEL_DEBUG=seed=$2 $program $1"
        cat "$dir/out" "$dir/err"
        exit 1
    fi
    grep 'runnel: trace hash' "$dir/err" >"$3" || {
        echo "FAIL: no trace hash from RUNNEL_DEBUG=seed=$2,tracehash=1 $program $1"
        cat "$dir/err"
        exit 1
    }
}

runs=0
for item in $("$program" --list | cut -f1); do
    : >"$dir/all"
    seed=1
    while [ "$seed" -le "$n" ]; do
        run "$item" "$seed" "$dir/hash"
        cat "$dir/hash" >>"$dir/all"
        runs=$((runs + 1))
        if [ $((seed % 10)) -eq 1 ]; then
            run "$item" "$seed" "$dir/again"
            runs=$((runs + 1))
            if ! cmp -s "$dir/hash" "$dir/again"; then
                echo "FAIL: seed $seed of item $item does not replay:"
                cat "$dir/hash" "$dir/again"
                exit 1
            fi
        fi
        seed=$((seed + 1))
    done
    # Seeds that all lead to one schedule would test nothing.
    different=$(sort -u "$dir/all" | wc -l)
    if [ "$different" -lt $((n / 2)) ]; then
        echo "FAIL: $n seeds of item $item gave only $different schedules"
        exit 1
    fi
    echo "item $item: $n seeds, $different different schedules"
done
echo "$runs runs"
