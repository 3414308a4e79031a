// The same for go_with.
// expect: rn_GO_FUNC_missing_for_worker
#include <runnel.h>

static void worker(int id, recv_chan(int) in)
{
    (void)id;
    (void)in;
}

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    go_with(((rn_go_attr){.stay = true}), worker, 1, c);
#else
    worker(1, c);
#endif
}
