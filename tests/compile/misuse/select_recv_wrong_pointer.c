// A case's destination points to an element.
// expect: incompatible (function )?pointer type
// expect-c++: cannot convert|no matching function
#include <runnel.h>

void use(chan(int) c, int *i, char **d);
void use(chan(int) c, int *i, char **d)
{
#ifdef MISUSE
    (void)chan_select(on_recv(c, d), on_default());
#else
    (void)d;
    (void)chan_select(on_recv(c, i), on_default());
#endif
}
