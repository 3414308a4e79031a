// A channel alone is not a case.
// expect: incompatible (function )?pointer type
// expect-c++: could not convert|cannot initialize
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    (void)chan_select(c, on_default());
#else
    (void)chan_select(on_recv(c, NULL), on_default());
#endif
}
