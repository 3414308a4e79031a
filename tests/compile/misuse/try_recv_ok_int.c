// ok is a bool.
// expect: incompatible (function )?pointer type
// expect-c++: cannot convert|no matching function
#include <runnel.h>

void use(chan(int) c, bool *ok, int *n);
void use(chan(int) c, bool *ok, int *n)
{
#ifdef MISUSE
    (void)chan_try_recv(c, NULL, n);
#else
    (void)n;
    (void)chan_try_recv(c, NULL, ok);
#endif
}
