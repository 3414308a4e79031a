// An int is not a channel.
// expect: c must be a channel
// expect-c++: this is not a channel
#include <runnel.h>

void use(chan(int) c, int n);
void use(chan(int) c, int n)
{
#ifdef MISUSE
    chan_send(n, 1);
#else
    (void)n;
    chan_send(c, 1);
#endif
}
