// The destructor takes the address of an element.
// expect: incompatible (function )?pointer type
#include <runnel.h>

void drop_int(int v);
void drop_ptr(void *p);

void use(void);
void use(void)
{
#ifdef MISUSE
    chan_unref(chan_make_with(int, 1, .drop = drop_int));
#else
    chan_unref(chan_make_with(int, 1, .drop = drop_ptr));
#endif
}
