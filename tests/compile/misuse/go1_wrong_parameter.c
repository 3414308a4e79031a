// go1 starts functions of one void pointer; others need GO_FUNC.
// expect: incompatible (function )?pointer type
// expect-c++: invalid conversion|no matching function
#include <runnel.h>

void print(const char *text);
void simple(void *arg);

void use(char *p);
void use(char *p)
{
#ifdef MISUSE
    go1(print, p);
#else
    go1(simple, p);
#endif
}
