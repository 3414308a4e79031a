// A member is started whose GO_FUNC is missing.
// expect: rn_GO_FUNC_missing_for_work
#include <runnel.h>

static int work(int i)
{
    return i;
}
#ifndef MISUSE
GO_FUNC(work, int);
#endif

extern void start(rn_group *g);
void start(rn_group *g)
{
    rn_group_go(g, work, work(3));
}
