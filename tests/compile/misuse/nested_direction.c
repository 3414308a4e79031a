// A channel of channels does not widen what it carries.
// expect: discards .*qualifier
// expect-c++: invalid conversion|cannot convert|cannot initialize a variable
#include <runnel.h>

void use(chan(chan(int)) c, recv_chan(int) r, chan(int) i);
void use(chan(chan(int)) c, recv_chan(int) r, chan(int) i)
{
#ifdef MISUSE
    chan_send(c, r);
#else
    (void)r;
    chan_send(c, i);
#endif
}
