// Arrays travel inside a struct.
// expect: function returning an array|function cannot return array
// expect-c++: arrays cannot be channel elements
#include <runnel.h>

struct four {
    int n[4];
};

void use(void);
void use(void)
{
#ifdef MISUSE
    chan_unref(chan_make(int[4], 1));
#else
    chan_unref(chan_make(struct four, 1));
#endif
}
