/*
 * When there is no address space for another stack, rn__stack_get returns NULL, everything taken so
 * far stays usable, and rn__stack_limit_text names the limit that stands in the way.
 *
 * runnel-test: not=address not=thread not=emulated
 */
#include "unit.h"
#include "stack/stack.h"
#include <sys/resource.h>

static void run_out(void *arg)
{
    (void)arg;
    static rn__stack_pool pool;
    struct rlimit as = {(rlim_t)1 << 30, (rlim_t)1 << 30};
    CHECK(setrlimit(RLIMIT_AS, &as) == 0);
    unsigned klass = (unsigned)rn__stack_class(64 << 10);
    rn__stack *s, *list = NULL;
    long n = 0;
    while ((s = rn__stack_get(&pool, klass)) != NULL) {
        s->next = list;
        list = s;
        n++;
    }
    errno = 4711;
    const char *text = rn__stack_limit_text();
    CHECK_EQ(errno, 4711);
    CHECK(strstr(text, "RLIMIT_AS") != NULL && strstr(text, "ulimit -v") != NULL);
    /* areas are halved on failure, so nearly all of the gigabyte has been used */
    CHECK(n > ((long)1 << 30) / 65536 / 10 * 8);
    for (s = list; s != NULL; s = s->next)
        s->lo[0] = 1;
    /* still none, and again after one came back: that one */
    CHECK(rn__stack_get(&pool, klass) == NULL);
    s = list;
    list = s->next;
    rn__stack_put(&pool, s);
    CHECK(rn__stack_get(&pool, klass) == s);
    CHECK(rn__stack_get(&pool, klass) == NULL);
}

static void fits_with_plenty(void *arg)
{
    (void)arg;
    CHECK(strstr(rn__stack_limit_text(), "RLIMIT_AS") == NULL);
}

int main(void)
{
    CHECK_EQ(unit_in_child(run_out, NULL), 0);
    CHECK_EQ(unit_in_child(fits_with_plenty, NULL), 0);
    return 0;
}
