// Channels of different element types are different types.
// expect: incompatible (function )?pointer type
// expect-c++: invalid conversion|cannot initialize
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    chan(double) d = c;
    chan_close(d);
#else
    chan(int) d = c;
    chan_close(d);
#endif
}
