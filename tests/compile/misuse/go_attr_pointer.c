// go_with takes the attributes, not their address.
// expect: lvalue required|cannot take the address
// expect-c++: invalid initialization of reference|no matching function
#include <runnel.h>

static void worker(int id, recv_chan(int) in)
{
    (void)id;
    (void)in;
}
GO_FUNC(worker, int, recv_chan(int));

void use(chan(int) c, rn_go_attr a);
void use(chan(int) c, rn_go_attr a)
{
#ifdef MISUSE
    go_with(&a, worker, 1, c);
#else
    go_with(a, worker, 1, c);
#endif
}
