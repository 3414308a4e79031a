// chan_len wants a channel, of any direction.
// expect: c must be a channel
// expect-c++: this is not a channel
#include <runnel.h>

void use(recv_chan(int) c, void *p);
void use(recv_chan(int) c, void *p)
{
#ifdef MISUSE
    (void)chan_len(p);
#else
    (void)p;
    (void)chan_len(c);
#endif
}
