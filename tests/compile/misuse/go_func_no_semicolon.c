// GO_FUNC is a declaration and ends like one.
// expect: expected .;.
// expect-c++: expected .;.
#include <runnel.h>

static void worker(int id, recv_chan(int) in)
{
    (void)id;
    (void)in;
}

#ifdef MISUSE
GO_FUNC(worker, int, recv_chan(int))
#else
GO_FUNC(worker, int, recv_chan(int));
#endif

int after(void);
