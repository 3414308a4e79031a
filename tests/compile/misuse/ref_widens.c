// chan_ref returns the type it was given.
// expect: discards .*qualifier
// expect-c++: invalid conversion|cannot initialize
#include <runnel.h>

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
#ifdef MISUSE
    chan(int) d = chan_ref(c);
    (void)d;
#else
    recv_chan(int) d = chan_ref(c);
    (void)d;
#endif
}
