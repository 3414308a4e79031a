// A send-only view does not become a receive-only one.
// expect: discards .*qualifier
// expect-c++: invalid conversion|cannot initialize
#include <runnel.h>

void use(send_chan(int) c);
void use(send_chan(int) c)
{
#ifdef MISUSE
    recv_chan(int) d = c;
    (void)d;
#else
    send_chan(int) d = c;
    (void)d;
#endif
}
