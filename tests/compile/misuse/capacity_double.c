// A capacity is a whole number.
// expect: cap must be a whole number
// expect-c++: cap must be a whole number
#include <runnel.h>

void use(void);
void use(void)
{
#ifdef MISUSE
    chan_unref(chan_make(int, 1.5));
#else
    chan_unref(chan_make(int, 1));
#endif
}
