// Nor ranged over.
// expect: chan_range: this is a send-only channel
// expect-c++: this is a send-only channel
#include <runnel.h>

void use(send_chan(int) c);
void use(send_chan(int) c)
{
#ifdef MISUSE
    chan_range (v, c)
        (void)v;
#else
    chan_send(c, 1);
#endif
}
