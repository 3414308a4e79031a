// GO_FUNC's types are those of the function.
// expect: incompatible (function )?pointer type
// expect-c++: GO_FUNC: the function does not take these types
#include <runnel.h>

static void worker(int id, recv_chan(int) in)
{
    (void)id;
    (void)in;
}

#ifdef MISUSE
GO_FUNC(worker, int, recv_chan(double));
#else
GO_FUNC(worker, int, recv_chan(int));
#endif
