// go0 starts functions without parameters.
// expect: incompatible (function )?pointer type
// expect-c++: invalid conversion|no matching function
#include <runnel.h>

static void worker(int id, recv_chan(int) in)
{
    (void)id;
    (void)in;
}
void simple(void);

void use(void);
void use(void)
{
#ifdef MISUSE
    go0(worker);
#else
    (void)worker;
    go0(simple);
#endif
}
