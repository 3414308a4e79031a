#!/bin/sh
# run.sh - compiles the litmus programs for ThreadSanitizer and checks that exactly the racing ones are
# reported, with one worker and with two.
#
# Needs the library's variant for ThreadSanitizer: librunnel-tsan.a, or a build made for it.
#
# runnel-test: timeout=600 not=address,musl
set -u
here=$(cd "$(dirname "$0")" && pwd)
source=${RUNNEL_SOURCE:-$here/../..}
cc=${CC:-cc}
library=
for candidate in "$RUNNEL_BUILD/lib/librunnel-tsan.a" "$RUNNEL_BUILD/lib/librunnel.a"; do
    if [ -f "$candidate" ] && nm "$candidate" 2>/dev/null | grep -q '__tsan_create_fiber'; then
        library=$candidate
        break
    fi
done
if [ -z "$library" ]; then
    echo "SKIP: no library for ThreadSanitizer in this build (RUNNEL_VARIANTS or RUNNEL_SANITIZE=thread)"
    exit 77
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

if ! echo 'int main(void) { return 0; }' >"$dir/try.c" ||
    ! "$cc" -fsanitize=thread "$dir/try.c" -o "$dir/try" 2>/dev/null || ! "$dir/try" 2>"$dir/err"; then
    echo "SKIP: $cc cannot make programs for ThreadSanitizer that run here (Debian package: libtsan2)"
    cat "$dir/err" 2>/dev/null
    exit 77
fi

# Each program is run as it comes and with a second worker; a race must be seen in both.
bad=0
races=0
cleans=0
for file in "$here"/*.c; do
    name=$(basename "$file" .c)
    "$cc" -std=gnu11 -g -O1 -Wall -fsanitize=thread -I"$source/include" "$file" "$library" -pthread \
        -o "$dir/$name" || exit 1
    "$dir/$name" >"$dir/list" || exit 1
    while read -r kind program; do
        for procs in 1 2; do
            TSAN_OPTIONS="exitcode=66 halt_on_error=0" RUNNEL_MAXPROCS=$procs \
                timeout 60 "$dir/$name" "$program" >"$dir/out" 2>&1 </dev/null
            status=$?
            case $kind in
            race) want=66 races=$((races + 1)) ;;
            clean) want=0 cleans=$((cleans + 1)) ;;
            esac
            reported=no
            grep -q 'WARNING: ThreadSanitizer: data race' "$dir/out" && reported=yes
            if [ "$status" -ne "$want" ] || { [ "$kind" = race ] && [ "$reported" = no ]; }; then
                echo "FAIL: $name $program ($kind), $procs worker(s): status $status, should be $want"
                cat "$dir/out"
                bad=$((bad + 1))
            fi
        done
    done <"$dir/list"
done
echo "$((races / 2)) racing and $((cleans / 2)) clean programs, twice each; $bad wrong"
[ "$bad" -eq 0 ] && [ "$races" -ge 24 ] && [ "$cleans" -ge 24 ]
