// GO_FUNC names all parameters.
// expect: too few arguments
// expect-c++: GO_FUNC: the function does not take these types
#include <runnel.h>

static void worker(int id, recv_chan(int) in)
{
    (void)id;
    (void)in;
}

#ifdef MISUSE
GO_FUNC(worker, int);
#else
GO_FUNC(worker, int, recv_chan(int));
#endif
