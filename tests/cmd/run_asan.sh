# runnel-test: timeout=300
# --asan finds a use after free in a goroutine; the library is instrumented too.
. "$RUNNEL_SOURCE/tests/cmd/common"

echo 'int main(void) { return 0; }' >probe.c
"$CC" -fsanitize=address,undefined -o probe probe.c 2>/dev/null || {
    echo "SKIP: $CC cannot link AddressSanitizer (Debian package: libgcc-12-dev or libclang-rt-dev)"
    exit 77
}

cat >freed.c <<'END'
#include <runnel.h>
#include <stdio.h>
#include <stdlib.h>
static void look(int *p, send_chan(int) out)
{
    chan_send(out, *p);
}
GO_FUNC(look, int *, send_chan(int));
int main(void)
{
    chan(int) c = chan_make(int, 0);
    int v, *p = malloc(sizeof *p);
    *p = 7;
#ifdef WRONG
    free(p);
#endif
    go(look, p, c);
    chan_recv(c, &v);
    printf("%d\n", v);
#ifndef WRONG
    free(p);
#endif
    chan_unref(c);
    return 0;
}
END
expect 0 "$runnel" run --asan freed.c
is out "7
"
"$runnel" run --asan -DWRONG freed.c >out 2>err
[ $? -ne 0 ] || fail "a use after free passed"
has err "heap-use-after-free"
has err "freed.c:6"
