// The value is sent, not its address; that is chan_send_from.
// expect: one value of c's elements
// expect-c++: one value of c's elements
#include <runnel.h>

struct job {
    int id;
    double w;
};

void use(chan(struct job) c, struct job j);
void use(chan(struct job) c, struct job j)
{
#ifdef MISUSE
    chan_send(c, &j);
#else
    chan_send_from(c, &j);
#endif
}
