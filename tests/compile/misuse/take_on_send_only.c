// The errno-style receive obeys directions too.
// expect: chan_take: this is a send-only channel
// expect-c++: this is a send-only channel
#include <runnel.h>

void use(send_chan(int) c);
void use(send_chan(int) c)
{
#ifdef MISUSE
    (void)chan_take(c, RN_NEVER, NULL);
#else
    (void)chan_put(c, RN_NEVER, 1);
#endif
}
