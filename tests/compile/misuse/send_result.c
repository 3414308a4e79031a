// A send has no result.
// expect: void value not ignored|incompatible type 'void'
// expect-c++: void value not ignored|type 'void'
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    int x = chan_send(c, 1);
    (void)x;
#else
    bool x = chan_try_send(c, 1);
    (void)x;
#endif
}
