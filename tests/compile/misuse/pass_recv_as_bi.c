// Views keep their direction as arguments.
// expect: discards .*qualifier
// expect-c++: invalid conversion|no matching function
#include <runnel.h>

void take(chan(int) c);
void look(recv_chan(int) c);

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
#ifdef MISUSE
    take(c);
#else
    look(c);
#endif
}
