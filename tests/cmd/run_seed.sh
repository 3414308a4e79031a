# --seed: the same number gives the same schedule, other numbers give others.
. "$RUNNEL_SOURCE/tests/cmd/common"

cat >order.c <<'END'
#include <runnel.h>
#include <stdio.h>
static void one(int id, send_chan(int) out)
{
    chan_send(out, id);
}
GO_FUNC(one, int, send_chan(int));
int main(void)
{
    chan(int) c = chan_make(int, 0);
    for (int i = 0; i < 12; i++)
        go(one, i, c);
    for (int i = 0; i < 12; i++) {
        int v;
        chan_recv(c, &v);
        printf("%d ", v);
    }
    puts("");
    return 0;
}
END
cat >debug.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    const char *s = getenv("RUNNEL_DEBUG");
    puts(s ? s : "(none)");
    return 0;
}
END
# How the seed is handed over.
expect 0 "$runnel" run debug.c
is out "(none)
"
expect 0 "$runnel" run --seed 7 debug.c
is out "seed=7
"
export RUNNEL_DEBUG=guard=mprotect
expect 0 "$runnel" run --seed=8 debug.c
is out "guard=mprotect,seed=8
"
unset RUNNEL_DEBUG

# What it does: one build, many seeds.
: >all
for seed in 1 2 3 4 5 6 7 8; do
    expect 0 "$runnel" run -O0 --seed $seed order.c
    cp out first
    expect 0 "$runnel" run -O0 --seed $seed order.c
    cmp -s first out || fail "seed $seed: first '$(cat first)', then '$(cat out)'"
    [ "$(tr ' ' '\n' <out | grep -c .)" -eq 12 ] || fail "not twelve values: $(cat out)"
    cat out >>all
done
[ "$(sort -u all | wc -l)" -gt 1 ] || fail "eight seeds, and always the same schedule: $(head -1 all)"
