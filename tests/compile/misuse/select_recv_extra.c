// on_recv takes a destination and an ok, no more.
// expect: RN__ON_RECV_0
// expect-c++: RN__ON_RECV_0
#include <runnel.h>

void use(chan(int) c);
void use(chan(int) c)
{
#ifdef MISUSE
    (void)chan_select(on_recv(c, NULL, NULL, NULL));
#else
    (void)chan_select(on_recv(c, NULL, NULL));
#endif
}
