// A send-only view cannot be received from.
// expect: chan_recv: this is a send-only channel
// expect-c++: this is a send-only channel
#include <runnel.h>

void use(send_chan(int) c);
void use(send_chan(int) c)
{
#ifdef MISUSE
    (void)chan_recv(c, NULL);
#else
    chan_send(c, 1);
#endif
}
