// on_after takes nanoseconds.
// expect: makes integer from pointer|incompatible pointer to integer
// expect-c++: invalid conversion|cannot initialize
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    (void)chan_select(on_after(c));
#else
    (void)chan_select(on_recv(c, NULL), on_after(RN_MS));
#endif
}
