// A capacity is not a pointer.
// expect: cap must be a whole number
// expect-c++: cap must be a whole number
#include <runnel.h>

void use(int *p);
void use(int *p)
{
#ifdef MISUSE
    chan_unref(chan_make(int, p));
#else
    chan_unref(chan_make(int, *p));
#endif
}
