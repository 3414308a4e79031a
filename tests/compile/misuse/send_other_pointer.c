// Pointer elements are checked like pointers.
// expect: incompatible (function )?pointer type
// expect-c++: invalid conversion|cannot convert|cannot initialize a variable
#include <runnel.h>

void use(chan(const char *) c, const int *p, const char *q);
void use(chan(const char *) c, const int *p, const char *q)
{
#ifdef MISUSE
    chan_send(c, p);
#else
    (void)p;
    chan_send(c, q);
#endif
}
