#!/bin/sh
# run.sh - examples under Valgrind's memcheck: it must follow every switch of stacks, report nothing, and
# change nothing about how a program ends.
#
# runnel-test: timeout=600 labels=sanitizer not=address,thread
set -u
command -v valgrind >/dev/null 2>&1 || { echo "SKIP: no valgrind (Debian package: valgrind)"; exit 77; }
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

ran=0
bad=0
for name in sieve worker_pool mutex philosophers timeout select_both select_table nil_cases \
    recover safe_close leak deadlock; do
    program=$RUNNEL_BUILD/examples/$name
    [ -x "$program" ] || { echo "FAIL: no example $name in this build"; bad=1; continue; }
    "$program" >/dev/null 2>&1 </dev/null
    want=$?
    timeout 120 valgrind -q --error-exitcode=99 --log-file="$log" "$program" >/dev/null 2>&1 </dev/null
    got=$?
    ran=$((ran + 1))
    if [ "$got" -ne "$want" ] || [ -s "$log" ]; then
        echo "FAIL: $name: status $got, $want without Valgrind"
        head -n 40 "$log"
        bad=1
    fi
done
echo "$ran examples under Valgrind"
exit $bad
