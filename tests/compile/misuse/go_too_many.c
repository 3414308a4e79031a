// And no more.
// expect: too many arguments
// expect-c++: no matching function
#include <runnel.h>

static void worker(int id, recv_chan(int) in)
{
    (void)id;
    (void)in;
}
GO_FUNC(worker, int, recv_chan(int));

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    go(worker, 1, c, 2);
#else
    go(worker, 1, c);
#endif
}
