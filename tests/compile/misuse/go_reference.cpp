// A goroutine outlives its creator's variables: it gets no references to them.
// expect-c++: go: a goroutine gets copies of its arguments: pass a pointer instead
#include <runnel.h>

static void count(int &n)
{
    n++;
}
static void count_at(int *n)
{
    ++*n;
}

void use();
void use()
{
    static int n;
    (void)count;
    (void)count_at;
#ifdef MISUSE
    go(count, n);
#else
    go(count_at, &n);
#endif
}
