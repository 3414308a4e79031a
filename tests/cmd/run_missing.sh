# Something is missing: one clear line and status 127.
. "$RUNNEL_SOURCE/tests/cmd/common"

echo 'int main(void) { return 0; }' >prog.c
mkdir empty

# No compiler at all.
PATH=$work/empty CC='' expect 127 "$runnel" run prog.c
one_line err
has err "no C compiler found"
PATH='' CC='' expect 127 "$runnel" run prog.c
one_line err

# CC is respected: its words, and its absence.
CC="$work/empty/nothing" expect 127 "$runnel" run prog.c
one_line err
has err "CC"
cat >mycc <<END
#!/bin/sh
echo "\$1" >>"$work/mycc.log"
shift
exec $CC "\$@"
END
chmod +x mycc
CC="$work/mycc first" expect 0 "$runnel" run prog.c
[ "$(cat mycc.log)" = first ] || fail "CC was not used word by word"

# No clang for --race.
PATH=$work/empty CC="$CC" expect 127 "$runnel" run --race prog.c
case $CC in *clang*) ;; *) one_line err; has err "--race needs clang" ;; esac

# A home without its parts.
RUNNEL_HOME=$work/empty expect 127 "$runnel" run prog.c
one_line err
has err "RUNNEL_HOME"
mkdir -p home/lib
ln -s "$RUNNEL_BUILD/include" home/include
cp "$RUNNEL_BUILD/lib/librunnel.a" home/lib/
RUNNEL_HOME=$work/home expect 0 "$runnel" run prog.c
RUNNEL_HOME=$work/home expect 127 "$runnel" run --asan prog.c
one_line err
has err "librunnel-asan.a is missing"

# Nowhere to build.
TMPDIR=$work/nowhere
"$runnel" run prog.c >out 2>err
[ $? -eq 125 ] || fail "status without a temporary folder"
one_line err
has err "$work/nowhere"
