// One send carries one value.
// expect: one value of c's elements|expected identifier
// expect-c++: one value of c's elements|expected unqualified-id
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    chan_send(c, 1, 2);
#else
    chan_send(c, 1);
#endif
}
