// The non-blocking receive obeys directions too.
// expect: chan_try_recv: this is a send-only channel
// expect-c++: this is a send-only channel
#include <runnel.h>

void use(send_chan(int) c);
void use(send_chan(int) c)
{
#ifdef MISUSE
    (void)chan_try_recv(c, NULL, NULL);
#else
    (void)chan_try_send(c, 1);
#endif
}
