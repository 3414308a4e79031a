// The library's own errno: every thread has one, and optimizers do not keep its address.
// also: c++
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define RN_KEEP_ERRNO
#include <runnel.h>

#ifndef __cplusplus
#include "../../../src/platform/errno.c"
#else
extern "C" {
#include "../../../src/platform/errno.c"
}
#endif

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond); \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

static int *there;

static void *other(void *arg)
{
    (void)arg;
    there = rn_errno_location();
    CHECK(there == &errno);
    *there = 9;
    return NULL;
}

int main(void)
{
    pthread_t t;
    errno = 4;
    CHECK(*rn_errno_location() == 4 && rn_errno_location() == &errno);
    CHECK(pthread_create(&t, NULL, other, NULL) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(there != &errno && errno == 4);
    return 0;
}
