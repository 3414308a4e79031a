// A number is not a struct, although it could initialize its first member.
// expect: one value of c's elements
#include <runnel.h>

struct job {
    int id;
    double w;
};

void use(chan(struct job) c);
void use(chan(struct job) c)
{
#ifdef MISUSE
    chan_send(c, 3);
#else
    chan_send(c, (struct job){3, 0.5});
#endif
}
