// A subscription has the broadcast's type.
// expect: incompatible (function )?pointer type
// expect-c++: cannot convert|cannot initialize|invalid conversion
#include <runnel.h>

typedef rn_broadcast(int) bus;

void use(bus *b);
void use(bus *b)
{
#ifdef MISUSE
    recv_chan(double) c = rn_broadcast_join(b, 1, RN_BROADCAST_BLOCK);
#else
    recv_chan(int) c = rn_broadcast_join(b, 1, RN_BROADCAST_BLOCK);
#endif
    (void)c;
}
