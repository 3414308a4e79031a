// A value that does not convert to the element type.
// expect: makes integer from pointer|incompatible pointer to integer
// expect-c++: invalid conversion|cannot convert|cannot initialize a variable
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    chan_send(c, "one");
#else
    chan_send(c, 1);
#endif
}
