// A send-only channel gives no batches either.
// expect: chan_recv_n: this is a send-only channel
// expect-c++: send-only channel
#include <runnel.h>

void use(send_chan(int) c, recv_chan(int) r, int *p);
void use(send_chan(int) c, recv_chan(int) r, int *p)
{
#ifdef MISUSE
    (void)r;
    (void)chan_recv_n(c, p, 1, 2);
#else
    (void)c;
    (void)chan_recv_n(r, p, 1, 2);
#endif
}
