// A channel of channels checks the inner element type.
// expect: incompatible (function )?pointer type
// expect-c++: invalid conversion|cannot convert|cannot initialize a variable
#include <runnel.h>

void use(chan(chan(int)) c, chan(double) d, chan(int) i);
void use(chan(chan(int)) c, chan(double) d, chan(int) i)
{
#ifdef MISUSE
    chan_send(c, d);
#else
    (void)d;
    chan_send(c, i);
#endif
}
