// The destination points to an element.
// expect: incompatible (function )?pointer type
// expect-c++: cannot convert|no matching function
#include <runnel.h>

void use(chan(int) c, int *i, double *d);
void use(chan(int) c, int *i, double *d)
{
#ifdef MISUSE
    (void)chan_recv(c, d);
#else
    (void)d;
    (void)chan_recv(c, i);
#endif
}
