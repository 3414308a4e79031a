// A send has no result in C++ either, also inside a lambda.
// expect-c++: void value not ignored|type 'void'
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    go([=] {
        int n = chan_send(c, 1);
        (void)n;
    });
#else
    go([=] {
        bool n = chan_try_send(c, 1);
        (void)n;
    });
#endif
}
