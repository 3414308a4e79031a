// chan_unref is not free.
// expect: c must be a channel
// expect-c++: this is not a channel
#include <runnel.h>

void use(chan(int) c, char *p);
void use(chan(int) c, char *p)
{
#ifdef MISUSE
    chan_unref(p);
#else
    (void)p;
    chan_unref(c);
#endif
}
