// Structs of other types do not convert.
// expect: one value of c's elements
// expect-c++: one value of c's elements
#include <runnel.h>

struct job {
    int id;
    double w;
};
struct task {
    int id;
    double w;
};

void use(chan(struct job) c, struct job j, struct task t);
void use(chan(struct job) c, struct job j, struct task t)
{
#ifdef MISUSE
    chan_send(c, t);
#else
    (void)t;
    chan_send(c, j);
#endif
}
