// The destination is written to.
// expect: discards .*qualifier
// expect-c++: invalid conversion|no matching function
#include <runnel.h>

void use(chan(int) c, int *i, const int *k);
void use(chan(int) c, int *i, const int *k)
{
#ifdef MISUSE
    (void)chan_recv(c, k);
#else
    (void)k;
    (void)chan_recv(c, i);
#endif
}
