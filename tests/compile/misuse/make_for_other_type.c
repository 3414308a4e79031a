// The channel that was made has the type it was made with.
// expect: incompatible (function )?pointer type
// expect-c++: invalid conversion|cannot initialize
#include <runnel.h>

void use(void);
void use(void)
{
#ifdef MISUSE
    chan(long) c = chan_make(int, 1);
    chan_unref(c);
#else
    chan(int) c = chan_make(int, 1);
    chan_unref(c);
#endif
}
