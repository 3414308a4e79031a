// Cases obey directions: send.
// expect: on_send: this is a receive-only channel
// expect-c++: this is a receive-only channel
#include <runnel.h>

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
#ifdef MISUSE
    (void)chan_select(on_send(c, 1));
#else
    (void)chan_select(on_recv(c, NULL));
#endif
}
