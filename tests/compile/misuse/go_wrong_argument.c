// Arguments are checked as in a call.
// expect: incompatible (function )?pointer type
// expect-c++: no matching function
#include <runnel.h>

static void worker(int id, recv_chan(int) in)
{
    (void)id;
    (void)in;
}
GO_FUNC(worker, int, recv_chan(int));

void use(chan(int) c, chan(double) d);
void use(chan(int) c, chan(double) d)
{
#ifdef MISUSE
    go(worker, 1, d);
#else
    (void)d;
    go(worker, 1, c);
#endif
}
