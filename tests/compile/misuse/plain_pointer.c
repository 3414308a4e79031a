// Nor is a pointer that only looks like one.
// expect: c must be a channel
// expect-c++: this is not a channel
#include <runnel.h>

void use(chan(int) c, int **p);
void use(chan(int) c, int **p)
{
#ifdef MISUSE
    chan_send(p, 1);
#else
    (void)p;
    chan_send(c, 1);
#endif
}
