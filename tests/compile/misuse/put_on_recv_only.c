// The errno-style send obeys directions too.
// expect: chan_put: this is a receive-only channel
// expect-c++: this is a receive-only channel
#include <runnel.h>

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
#ifdef MISUSE
    (void)chan_put(c, RN_NEVER, 1);
#else
    (void)chan_take(c, RN_NEVER, NULL);
#endif
}
