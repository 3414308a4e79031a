#!/bin/sh
# copies.sh - the library's sync folder built with RUNNEL_COPY_CHECK: each kind of object, copied after its
# first use, ends the program with both addresses; used where it was first used, it does not.
#
# runnel-test: not=address not=thread not=emulated
set -u
: "${CC:=cc}"
command -v "$CC" >/dev/null 2>&1 || {
    echo "SKIP: needs a C compiler (Debian package: gcc)"
    exit 77
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
flags="-std=gnu11 -O1 -g -w -pthread -I$RUNNEL_SOURCE/include"

for f in "$RUNNEL_SOURCE"/src/sync/*.c; do
    # shellcheck disable=SC2086 # flags are words
    "$CC" $flags -DRUNNEL_COPY_CHECK=1 -c -o "$dir/$(basename "$f" .c).o" "$f" || exit 1
done
cat >"$dir/program.c" <<'EOF2'
#include <runnel.h>
#include <stdio.h>
#include <string.h>

static void nothing(void)
{
}
static rn_once outer, once_copy;
static void use_the_copy(void)
{
    once_copy = outer; /* it runs */
    rn_once_do(&once_copy, nothing);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    rn_mutex m = {0}, m2;
    rn_rwmutex rw = {0}, rw2;
    rn_waitgroup wg = {0}, wg2;
    rn_sem sem = RN_SEM_INIT(2), sem2;
    rn_barrier bar = RN_BARRIER_INIT(1), bar2;
    for (int i = 0; i < 2; i++) {
        rn_mutex_lock(&m);
        rn_mutex_unlock(&m);
        rn_rwmutex_rlock(&rw);
        rn_rwmutex_runlock(&rw);
        rn_waitgroup_add(&wg, 1);
        rn_waitgroup_done(&wg);
        rn_waitgroup_wait(&wg);
        rn_sem_acquire(&sem, 1);
        rn_sem_release(&sem, 1);
        rn_barrier_wait(&bar);
    }
    m2 = m, rw2 = rw, wg2 = wg, sem2 = sem, bar2 = bar;
    if (strcmp(what, "Mutex") == 0)
        rn_mutex_lock(&m2);
    if (strcmp(what, "RWMutex") == 0)
        rn_rwmutex_rlock(&rw2);
    if (strcmp(what, "WaitGroup") == 0)
        rn_waitgroup_add(&wg2, 1);
    if (strcmp(what, "Semaphore") == 0)
        rn_sem_acquire(&sem2, 1);
    if (strcmp(what, "Barrier") == 0)
        rn_barrier_wait(&bar2);
    if (strcmp(what, "Once") == 0)
        rn_once_do(&outer, use_the_copy);
    puts("fine");
    return 0;
}
EOF2
# The archive's own sync files are not taken: all that they define is there already.
# shellcheck disable=SC2086
"$CC" $flags -o "$dir/program" "$dir/program.c" "$dir"/*.o "$RUNNEL_BUILD/lib/librunnel.a" -pthread || exit 1

[ "$("$dir/program")" = fine ] || {
    echo "objects that were not copied are reported"
    exit 1
}
for what in Mutex RWMutex WaitGroup Semaphore Barrier Once; do
    "$dir/program" $what >"$dir/out" 2>"$dir/err"
    status=$?
    if [ $status -ne 2 ] || ! grep -q "^fatal error: sync: $what is copied\$" "$dir/err" ||
        ! grep -q 'used at .*program.c:[0-9]* at address 0x[0-9a-f]*, first used at address 0x' "$dir/err"; then
        echo "a copied $what: status $status"
        cat "$dir/out" "$dir/err"
        exit 1
    fi
done
echo "6 kinds of copies found"
