// The non-blocking send obeys directions too.
// expect: chan_try_send: this is a receive-only channel
// expect-c++: this is a receive-only channel
#include <runnel.h>

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
#ifdef MISUSE
    (void)chan_try_send(c, 1);
#else
    (void)chan_try_recv(c, NULL, NULL);
#endif
}
