// A receive-only view does not become a send-only one.
// expect: discards .*qualifier
// expect-c++: invalid conversion|cannot initialize
#include <runnel.h>

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
#ifdef MISUSE
    send_chan(int) d = c;
    (void)d;
#else
    recv_chan(int) d = c;
    (void)d;
#endif
}
