// A case's value converts to the element type.
// expect: makes integer from pointer|incompatible pointer to integer
// expect-c++: invalid conversion|no matching conversion
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    (void)chan_select(on_send(c, "one"), on_default());
#else
    (void)chan_select(on_send(c, 1), on_default());
#endif
}
