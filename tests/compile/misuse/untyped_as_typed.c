// The untyped channel has no element type to check.
// expect: c must be a channel
// expect-c++: this is not a channel
#include <runnel.h>

void use(chan(int) c, rn_hchan *h);
void use(chan(int) c, rn_hchan *h)
{
#ifdef MISUSE
    chan_send(h, 1);
#else
    (void)h;
    chan_send(c, 1);
#endif
}
