// A goroutine's own value has its declared type.
// expect: incompatible (function )?(pointer|return|result) type
// expect-c++: cannot convert|cannot initialize|invalid conversion
#include <runnel.h>

static rn_local(int) depth;

double *use(void);
int *use_right(void);
#ifdef MISUSE
double *use(void)
{
    return rn_local_ptr(&depth);
}
#else
int *use_right(void)
{
    return rn_local_ptr(&depth);
}
#endif
