// A batch comes from an array of elements.
// expect: incompatible (function )?pointer type
// expect-c++: cannot convert|no matching function
#include <runnel.h>

void use(chan(int) c, const int *i, const double *d);
void use(chan(int) c, const int *i, const double *d)
{
#ifdef MISUSE
    (void)chan_send_n(c, d, 2);
#else
    (void)d;
    (void)chan_send_n(c, i, 2);
#endif
}
