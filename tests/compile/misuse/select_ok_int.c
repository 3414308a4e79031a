// A case's ok is a bool.
// expect: incompatible (function )?pointer type
// expect-c++: cannot convert|cannot initialize
#include <runnel.h>

void use(chan(int) c, bool *ok, int *n);
void use(chan(int) c, bool *ok, int *n)
{
#ifdef MISUSE
    (void)chan_select(on_recv(c, NULL, n));
#else
    (void)n;
    (void)chan_select(on_recv(c, NULL, ok));
#endif
}
