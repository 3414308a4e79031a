/*
 * cxx.cpp - the locks from C++: initializers, rn_waitgroup_go with functions, lambdas and objects that
 * own things.
 */
#include <runnel.h>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#define CHECK(cond)                                                                          \
    ((cond) ? (void)0                                                                        \
            : (std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #cond), \
               std::exit(1)))

static rn_mutex m;
static rn_sem sem = RN_SEM_INIT(3);
static rn_barrier barrier = RN_BARRIER_INIT(2);
static int sum; /* guarded by m */

static void add(long n)
{
    rn_sem_acquire(&sem, 1);
    rn_mutex_lock(&m);
    sum += static_cast<int>(n);
    rn_mutex_unlock(&m);
    rn_sem_release(&sem, 1);
}

static void owns(const std::string &s, std::unique_ptr<int> p)
{
    add(*p + static_cast<long>(s.size()));
}

static void *value(void *p)
{
    add(1);
    return p;
}
static rn_oncevalue once = RN_ONCEVALUE_INIT(value, &sum);

int main()
{
    rn_waitgroup wg = {};
    for (int i = 0; i < 100; i++)
        rn_waitgroup_go(&wg, add, i); /* converted to long */
    rn_waitgroup_go(&wg, [] {
        add(1000);
        rn_goexit();
    });
    int from = 10000;
    rn_waitgroup_go(
        &wg, [from](int more) { add(from + more); }, 5);
    rn_waitgroup_go(&wg, owns, "four", std::unique_ptr<int>(new int(20000)));
    rn_waitgroup_wait(&wg);
    CHECK(sum == 4950 + 1000 + 10005 + 20004);

    rn_rwmutex rw = {};
    rn_cond c = {};
    bool met = false;
    rn_waitgroup_go(&wg, [&] {
        rn_barrier_wait(&barrier);
        rn_rwmutex_lock(&rw);
        rn_rwmutex_unlock(&rw);
        rn_mutex_lock(&m);
        met = true;
        rn_mutex_unlock(&m);
        rn_cond_signal(&c);
    });
    rn_rwmutex_rlock(&rw);
    rn_barrier_wait(&barrier);
    rn_rwmutex_runlock(&rw);
    rn_mutex_lock(&m);
    while (!met)
        rn_cond_wait(&c, &m);
    CHECK(rn_mutex_lock_until(&m, 0) == -ETIMEDOUT);
    rn_mutex_unlock(&m);
    rn_waitgroup_wait(&wg);
    CHECK(rn_oncevalue_get(&once) == &sum && rn_oncevalue_get(&once) == &sum);
    CHECK(rn_sem_available(&sem) == 3);
    std::puts("ok");
    return 0;
}
