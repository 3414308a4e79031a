// Elements have at most 65535 bytes.
// expect: channel element type too large \(>64kB\)
// expect-c++: channel element type too large \(>64kB\)
#include <runnel.h>

struct most {
    char bytes[65535];
};
struct more {
    char bytes[65536];
};

void use(void);
void use(void)
{
#ifdef MISUSE
    chan_unref(chan_make(struct more, 1));
#else
    chan_unref(chan_make(struct most, 1));
#endif
}
