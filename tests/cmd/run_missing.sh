# Something is missing: one clear line and status 127.
. "$RUNNEL_SOURCE/tests/cmd/common"

echo 'int main(void) { return 0; }' >prog.c
mkdir empty

# No compiler at all.
expect 127 env PATH="$work/empty" CC= "$runnel" run prog.c
one_line err
has err "no C compiler found"
expect 127 env PATH= CC= "$runnel" run prog.c
one_line err

# CC is respected: its words, and its absence.
expect 127 env CC="$work/empty/nothing" "$runnel" run prog.c
one_line err
has err "CC"
cat >mycc <<END
#!/bin/sh
echo "\$1" >>"$work/mycc.log"
shift
exec $CC "\$@"
END
chmod +x mycc
expect 0 env CC="$work/mycc first" "$runnel" run prog.c
[ "$(cat mycc.log)" = first ] || fail "CC was not used word by word"

# No clang for --race.
expect 127 env PATH="$work/empty" CC= "$runnel" run --race prog.c
one_line err
has err "--race needs clang"

# A home without its parts.
expect 127 env RUNNEL_HOME=$work/empty "$runnel" run prog.c
one_line err
has err "RUNNEL_HOME"
mkdir -p home/lib
ln -s "$RUNNEL_BUILD/include" home/include
cp "$RUNNEL_BUILD/lib/librunnel.a" home/lib/
expect 0 env RUNNEL_HOME=$work/home "$runnel" run prog.c
expect 127 env RUNNEL_HOME=$work/home "$runnel" run --asan prog.c
one_line err
has err "librunnel-asan.a is missing"

# Nowhere to build.
TMPDIR=$work/nowhere
"$runnel" run prog.c >out 2>err
[ $? -eq 125 ] || fail "status without a temporary folder"
one_line err
has err "$work/nowhere"
