// chan_send_from takes the address of an element.
// expect: incompatible (function )?pointer type
// expect-c++: cannot convert|no matching function
#include <runnel.h>

void use(chan(int) c, const double *p, const int *q);
void use(chan(int) c, const double *p, const int *q)
{
#ifdef MISUSE
    chan_send_from(c, p);
#else
    (void)p;
    chan_send_from(c, q);
#endif
}
