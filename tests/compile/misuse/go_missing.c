// A function is started after GO_FUNC has named it.
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
    go(worker, 1, c);
#else
    worker(1, c);
#endif
}
