# cflags and libs: a program built by hand with them, static and shared.
. "$RUNNEL_SOURCE/tests/cmd/common"

cat >prog.c <<'END'
#include <runnel.h>
#include <stdio.h>
int main(void)
{
    chan(int) c = chan_make(int, 1);
    chan_send(c, 41);
    int v;
    chan_recv(c, &v);
    printf("%d\n", v + 1);
    chan_unref(c);
    return 0;
}
END
expect 0 "$runnel" cflags
has out "-I"
has out "-Werror=incompatible-pointer-types"
expect 0 "$runnel" cflags --plain
grep -q Werror out && fail "--plain prints warning flags"
expect 2 "$runnel" cflags --wrong
one_line err

expect 0 $CC $("$runnel" cflags) prog.c -o static $("$runnel" libs)
expect 0 ./static
is out "42
"
if [ -e "$RUNNEL_BUILD/lib/librunnel.so" ]; then
    expect 0 $CC $("$runnel" cflags) prog.c -o shared $("$runnel" libs --shared)
    expect 0 ./shared
    is out "42
"
    readelf -d shared | grep -q 'librunnel\.so\.0' || fail "not linked with librunnel.so.0"
fi
