/*
 * rn__self is the calling thread's own word, also in a context that moves from one thread to another
 * between two reads in one function.
 */
#include "unit.h"
#include <pthread.h>

enum { STACK = 256 << 10 };

static rn__ctx first, second, there;
static _Atomic(uint64_t) word;
static char a, b; /* stand for two workers */
static struct rn__worker *seen[3];

static struct rn__worker *as_worker(char *p)
{
    return (struct rn__worker *)(void *)p;
}

static void wanderer(void)
{
    seen[0] = rn__self();
    rn__switch(&there, &first, &word, 0);
    seen[1] = rn__self();
    seen[2] = rn__self_slow();
    rn__switch(&there, &second, &word, 0);
}

static void *other_thread(void *arg)
{
    (void)arg;
    CHECK(rn__self() == NULL);
    rn__set_self(as_worker(&b));
    CHECK(rn__self() == as_worker(&b));
    rn__switch(&second, &there, &word, 0);
    CHECK(rn__self() == as_worker(&b));
    return NULL;
}

int main(void)
{
    CHECK(rn__self() == NULL);
    rn__set_self(as_worker(&a));
    CHECK(rn__self() == as_worker(&a));
    CHECK(rn__self_slow() == as_worker(&a));

    char *stack = rn__reserve(STACK, 1);
    CHECK(stack != NULL);
    rn__ctx_init(&there, stack + STACK, wanderer);
    rn__switch(&first, &there, &word, 0);

    pthread_t t;
    CHECK(pthread_create(&t, NULL, other_thread, NULL) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(seen[0] == as_worker(&a));
    CHECK(seen[1] == as_worker(&b));
    CHECK(seen[2] == as_worker(&b));
    CHECK(rn__self() == as_worker(&a));
    return 0;
}
