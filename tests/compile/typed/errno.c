// errno is asked for anew each time: what was true before a call need not be true after it.
// also: c++
#include "record.h"

static int here, elsewhere; /* the errnos of two threads */
static int *current = &here;
static int asked;

RN_EXTERN_C_BEGIN
int *rn_errno_location(void)
{
    asked++;
    return current;
}
RN_EXTERN_C_END

/* As a channel operation may do: comes back on the other thread. */
static __attribute__((noinline)) void move(void)
{
    current = current == &here ? &elsewhere : &here;
    __asm__ volatile("" ::: "memory");
}

int main(void)
{
    errno = 5;
    CHECK(here == 5 && asked == 1);
    move();
    errno = 7;
    CHECK(here == 5 && elsewhere == 7 && asked == 2);
    for (int i = 0; i < 4; i++) {
        move();
        errno += 10;
    }
    CHECK(here == 25 && elsewhere == 27 && asked == 6);
    int saved = errno, *p = &errno;
    CHECK(saved == 27 && p == &elsewhere && asked == 8);

    /* the same through the declaration alone, with no macro and nothing in between */
    int *a = rn_errno_location();
    current = &here;
    int *b = rn_errno_location();
    CHECK(a == &elsewhere && b == &here && asked == 10);
    return 0;
}
