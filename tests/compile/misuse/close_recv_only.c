// Only a sender may close.
// expect: chan_close: this is a receive-only channel
// expect-c++: this is a receive-only channel
#include <runnel.h>

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
#ifdef MISUSE
    chan_close(c);
#else
    (void)chan_recv(c, NULL);
#endif
}
