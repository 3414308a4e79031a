# runnel-test: timeout=300
# --race finds a race between goroutines, and none where a channel orders them.
. "$RUNNEL_SOURCE/tests/cmd/common"

echo 'int main(void) { return 0; }' >probe.c
clang -fsanitize=thread -o probe probe.c 2>/dev/null || {
    echo "SKIP: no clang with its runtimes (Debian package: clang and libclang-rt-dev)"
    exit 77
}

cat >race.c <<'END'
#include <runnel.h>
#include <stdio.h>
static int counter;
static void add(send_chan(rn_unit) done)
{
    counter++;
    chan_send(done, (rn_unit){0});
}
GO_FUNC(add, send_chan(rn_unit));
int main(void)
{
    chan(rn_unit) done = chan_make(rn_unit, 0);
    go(add, done);
#ifdef ORDERED
    chan_recv(done, NULL);
    go(add, done);
    chan_recv(done, NULL);
#else
    go(add, done);
    chan_recv(done, NULL);
    chan_recv(done, NULL);
#endif
    printf("%d\n", counter);
    return 0;
}
END
expect 0 "$runnel" run --race -DORDERED race.c
is out "2
"
is err ""
expect 66 "$runnel" run --race race.c
has err "WARNING: ThreadSanitizer: data race"
has err "race.c:6"
