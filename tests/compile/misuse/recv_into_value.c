// The destination is an address.
// expect: makes pointer from integer|incompatible integer to pointer
// expect-c++: invalid conversion|no matching function
#include <runnel.h>

void use(chan(int) c, int i);
void use(chan(int) c, int i)
{
#ifdef MISUSE
    (void)chan_recv(c, i);
#else
    (void)chan_recv(c, &i);
#endif
}
