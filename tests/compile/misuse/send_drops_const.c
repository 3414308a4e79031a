// A pointer to const does not become a pointer to non-const on its way.
// expect: discards .*qualifier
// expect-c++: invalid conversion|cannot convert|cannot initialize a variable
#include <runnel.h>

void use(chan(char *) c, const char *p, char *q);
void use(chan(char *) c, const char *p, char *q)
{
#ifdef MISUSE
    chan_send(c, p);
#else
    (void)p;
    chan_send(c, q);
#endif
}
