// A receive-only view cannot be sent on.
// expect: chan_send: this is a receive-only channel
// expect-c++: this is a receive-only channel
#include <runnel.h>

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
#ifdef MISUSE
    chan_send(c, 1);
#else
    (void)chan_recv(c, NULL);
#endif
}
