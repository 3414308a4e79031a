// Cases obey directions: receive.
// expect: on_recv: this is a send-only channel
// expect-c++: this is a send-only channel
#include <runnel.h>

void use(send_chan(int) c);
void use(send_chan(int) c)
{
#ifdef MISUSE
    (void)chan_select(on_recv(c, NULL));
#else
    (void)chan_select(on_send(c, 1));
#endif
}
