// A receive-only view is no argument for a sender.
// expect: discards .*qualifier
// expect-c++: no matching function
#include <runnel.h>

static void sender(send_chan(int) out)
{
    chan_close(out);
}
GO_FUNC(sender, send_chan(int));

void use(chan(int) c, recv_chan(int) r);
void use(chan(int) c, recv_chan(int) r)
{
#ifdef MISUSE
    go(sender, r);
#else
    (void)r;
    go(sender, c);
#endif
}
