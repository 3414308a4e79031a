# The command itself: version, help, and mistakes in one line with status 2.
. "$RUNNEL_SOURCE/tests/cmd/common"

version=$(sed -n 's/^#define RN_VERSION *"\(.*\)"/\1/p' "$RUNNEL_SOURCE/include/runnel/base.h")
[ -n "$version" ] || fail "no version in base.h"
for way in version --version; do
    expect 0 "$runnel" $way
    is out "runnel $version
"
done

for way in help --help -h ""; do
    expect 0 "$runnel" $way
    for command in run cflags libs version help; do
        has out "runnel $command"
    done
done
expect 0 "$runnel" help run
has out "--seed N"
expect 0 "$runnel" run --help
has out "--race"

expect 2 "$runnel" fly
one_line err
has err "unknown command 'fly'"
expect 2 "$runnel" help fly
one_line err
expect 2 "$runnel" version 3
one_line err

expect 2 "$runnel" run
one_line err
has err "no C file"
expect 2 "$runnel" run --
one_line err
expect 2 "$runnel" run prog.txt
one_line err
has err "'prog.txt' is not a C file"
echo 'int main(void) { return 0; }' >prog.c
for wrong in --sed --seed --seed=x --seed=-1 --seed=18446744073709551616 -Ofast -O4 -O= -o -x --; do
    expect 2 "$runnel" run $wrong
    one_line err
done
expect 2 "$runnel" run --unknown prog.c
has err "unknown option '--unknown'"
expect 2 "$runnel" run --race --asan prog.c
has err "exclude each other"
expect 2 "$runnel" run -o prog.c prog.c
one_line err
grep -q 'int main' prog.c || fail "the source was overwritten"
