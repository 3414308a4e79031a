/*
 * locks.c - mutex, rwmutex, cond, semaphore, barrier and wait group under deadlines that race with
 * everything: whoever says that it has something has it, whoever gave up has nothing, and in the end all of
 * it is free.
 *
 * Invariants
 *  - What a lock guards is not atomic: two inside at once lose counts or read torn pairs.
 *  - Deadlines lie to both sides of what a wait takes, so that both outcomes happen; how often does not
 *    matter.
 *
 * runnel-test: timeout=900
 */
#include "account.h"
#include <errno.h>

enum { CREW = 6, THREADS = 2 };

static int64_t soon(uint64_t *seed)
{
    static const int64_t most[] = {0, 1, 5, 20, 100, 1000};
    return rn_now() + (int64_t)(test_random(seed) % 1000) * most[test_random(seed) % 6];
}

/* ------------------------------------------------------------------------------------ the crew */

struct crew {
    void (*part)(void *scene, uint64_t *seed);
    void *scene;
    _Atomic(uint64_t) next_seed;
    rn_waitgroup done;
};

static void play_part(void *p)
{
    struct crew *c = p;
    uint64_t seed = atomic_fetch_add(&c->next_seed, 1) * 7919;
    c->part(c->scene, &seed);
    rn_waitgroup_done(&c->done);
}

static void *play_in_thread(void *p)
{
    play_part(p);
    return NULL;
}

/* part(scene, seed) by CREW goroutines and, if wanted, threads, under each number of workers. */
static void play(void (*part)(void *, uint64_t *), void *scene, void (*reset)(void *),
                 void (*check)(void *))
{
    for (int w = 0; w < WORKER_COUNTS; w++) {
        for (int threads = 0; threads <= THREADS; threads += THREADS) {
            rn_gomaxprocs(worker_counts[w]);
            reset(scene);
            struct crew c = {.part = part, .scene = scene};
            atomic_store(&c.next_seed, (uint64_t)w * 100 + (uint64_t)threads * 10);
            pthread_t t[THREADS];
            rn_waitgroup_add(&c.done, CREW + threads);
            for (int i = 0; i < threads; i++)
                CHECK(pthread_create(&t[i], NULL, play_in_thread, &c) == 0);
            for (int i = 0; i < CREW; i++)
                test_go(play_part, &c);
            rn_waitgroup_wait(&c.done);
            for (int i = 0; i < threads; i++)
                pthread_join(t[i], NULL);
            WAIT_GONE(1);
            check(scene);
        }
    }
}

/* --------------------------------------------------------------------------------------- mutex */

struct mutex_scene {
    rn_mutex m;
    int64_t count;            /* guarded by m */
    _Atomic(int64_t) entered; /* what count must be */
    int64_t rounds;
};

static void mutex_reset(void *p)
{
    struct mutex_scene *s = p;
    *s = (struct mutex_scene){.rounds = test_scale(TEST_SANITIZED ? 3000 : 12000, 60)};
}

static void mutex_part(void *p, uint64_t *seed)
{
    struct mutex_scene *s = p;
    int64_t entered = 0;
    for (int64_t i = 0; i < s->rounds; i++) {
        uint64_t how = test_random(seed) % 8;
        if (how == 0) {
            rn_mutex_lock(&s->m);
        } else if (how == 1) {
            if (!rn_mutex_trylock(&s->m))
                continue;
        } else {
            int64_t deadline = soon(seed);
            int err = rn_mutex_lock_until(&s->m, deadline);
            CHECK(err == 0 || err == -ETIMEDOUT);
            if (err != 0) {
                CHECK(rn_now() >= deadline);
                continue;
            }
        }
        s->count++;
        if (test_random(seed) % 64 == 0)
            rn_yield();
        if (test_random(seed) % 512 == 0)
            rn_sleep(50 * RN_US);
        rn_mutex_unlock(&s->m);
        entered++;
    }
    atomic_fetch_add(&s->entered, entered);
}

static void mutex_check(void *p)
{
    struct mutex_scene *s = p;
    CHECK_EQ(s->count, s->entered);
    CHECK(s->entered > 0);
    CHECK_EQ(s->m.rn_word, 0);
    CHECK(s->m.rn_head == NULL);
}

ITEM(1, "mutex: lock, trylock and deadlines that race with the unlock")
{
    static struct mutex_scene s;
    play(mutex_part, &s, mutex_reset, mutex_check);
}

/* ------------------------------------------------------------------------------------- rwmutex */

struct rw_scene {
    rn_rwmutex rw;
    int64_t a, b; /* guarded by rw; equal outside of writers */
    _Atomic(int64_t) written;
    int64_t rounds;
};

static void rw_reset(void *p)
{
    struct rw_scene *s = p;
    *s = (struct rw_scene){.rounds = test_scale(TEST_SANITIZED ? 3000 : 12000, 60)};
}

/* 0 if locked */
static int rw_lock_somehow(struct rw_scene *s, bool write, uint64_t *seed)
{
    uint64_t how = test_random(seed) % 8;
    if (how < 3) {
        if (write)
            rn_rwmutex_lock(&s->rw);
        else
            rn_rwmutex_rlock(&s->rw);
        return 0;
    }
    if (how == 3)
        return (write ? rn_rwmutex_trylock(&s->rw) : rn_rwmutex_tryrlock(&s->rw)) ? 0 : -EBUSY;
    int64_t deadline = soon(seed);
    int err =
        write ? rn_rwmutex_lock_until(&s->rw, deadline) : rn_rwmutex_rlock_until(&s->rw, deadline);
    CHECK(err == 0 || err == -ETIMEDOUT);
    if (err != 0)
        CHECK(rn_now() >= deadline);
    return err;
}

static void rw_part(void *p, uint64_t *seed)
{
    struct rw_scene *s = p;
    int64_t written = 0;
    for (int64_t i = 0; i < s->rounds; i++) {
        bool write = test_random(seed) % 4 == 0;
        if (rw_lock_somehow(s, write, seed) != 0)
            continue;
        if (write) {
            s->a++;
            if (test_random(seed) % 64 == 0)
                rn_yield();
            s->b++;
            written++;
            rn_rwmutex_unlock(&s->rw);
        } else {
            int64_t a = s->a;
            if (test_random(seed) % 64 == 0)
                rn_yield();
            if (test_random(seed) % 512 == 0)
                rn_sleep(50 * RN_US);
            CHECK_EQ(s->b, a);
            rn_rwmutex_runlock(&s->rw);
        }
    }
    atomic_fetch_add(&s->written, written);
}

static void rw_check(void *p)
{
    struct rw_scene *s = p;
    CHECK_EQ(s->a, s->written);
    CHECK_EQ(s->b, s->written);
    CHECK(s->written > 0);
    CHECK_EQ(s->rw.rn_word, 0);
    CHECK(s->rw.rn_readers == NULL && s->rw.rn_writers == NULL && s->rw.rn_drain == NULL);
}

ITEM(2, "rwmutex: readers and writers, each plain, by try and by deadline")
{
    static struct rw_scene s;
    play(rw_part, &s, rw_reset, rw_check);
}

/* ---------------------------------------------------------------------------------------- cond */

enum { ROOM = 2 };
struct cond_scene {
    rn_mutex m;
    rn_cond changed;          /* of either kind */
    int stock;                /* guarded by m */
    int64_t made, taken;      /* guarded by m */
    _Atomic(int64_t) balance; /* made - taken, as their makers and takers count */
    _Atomic(int) next_role;
    int64_t rounds;
};

static void cond_reset(void *p)
{
    struct cond_scene *s = p;
    *s = (struct cond_scene){.rounds = test_scale(TEST_SANITIZED ? 1000 : 4000, 40)};
}

/* One in two makes, the other takes, rounds each; nobody's signal may get lost with one that gives up. */
static void cond_part(void *p, uint64_t *seed)
{
    struct cond_scene *s = p;
    bool maker = atomic_fetch_add(&s->next_role, 1) % 2 == 0;
    for (int64_t i = 0; i < s->rounds;) {
        bool gave_up = false;
        rn_mutex_lock(&s->m);
        while (!gave_up && (maker ? s->stock == ROOM : s->stock == 0)) {
            if (test_random(seed) % 3 == 0)
                rn_cond_wait(&s->changed, &s->m);
            else
                gave_up = rn_cond_wait_until(&s->changed, &s->m, soon(seed)) != 0;
        }
        if (!gave_up || (maker ? s->stock < ROOM : s->stock > 0)) {
            s->stock += maker ? 1 : -1;
            *(maker ? &s->made : &s->taken) += 1;
            i++;
            /* makers and takers wait in one queue: a signal may meet the wrong kind */
            rn_cond_broadcast(&s->changed);
        }
        rn_mutex_unlock(&s->m);
    }
    atomic_fetch_add(&s->balance, maker ? s->rounds : -s->rounds);
}

static void cond_check(void *p)
{
    struct cond_scene *s = p;
    CHECK_EQ(s->made - s->taken, s->stock);
    CHECK_EQ(s->balance, 0);
    CHECK_EQ(s->stock, 0);
    CHECK_EQ(s->changed.rn_queue, 0);
    CHECK_EQ(s->m.rn_word, 0);
}

ITEM(3, "cond: a bounded stock, waits with and without a deadline, broadcast")
{
    static struct cond_scene s;
    play(cond_part, &s, cond_reset, cond_check);
}

/* Tokens are handed out one signal each; a signal that went to a waiter that gave up would be missing. */
struct signal_scene {
    rn_mutex m;
    rn_cond c;
    int64_t tokens, got; /* guarded by m */
    _Atomic(int) next_role;
    int64_t each; /* tokens that each giver gives */
    int64_t all;
};

static void signal_reset(void *p)
{
    struct signal_scene *s = p;
    *s = (struct signal_scene){.each = test_scale(TEST_SANITIZED ? 1500 : 6000, 40)};
    s->all = 2 * s->each;
}

static void signal_part(void *p, uint64_t *seed)
{
    struct signal_scene *s = p;
    int role = atomic_fetch_add(&s->next_role, 1);
    if (role < 2) {
        for (int64_t i = 0; i < s->each; i++) {
            rn_mutex_lock(&s->m);
            s->tokens++;
            rn_mutex_unlock(&s->m);
            rn_cond_signal(&s->c);
            if (test_random(seed) % 16 == 0)
                rn_yield();
        }
        return;
    }
    rn_mutex_lock(&s->m);
    while (s->got < s->all) {
        if (s->tokens > 0) {
            s->tokens--;
            if (++s->got == s->all)
                rn_cond_broadcast(&s->c);
        } else if (role % 2 == 0) {
            rn_cond_wait(&s->c, &s->m); /* for ever, if its signal is lost */
        } else {
            (void)rn_cond_wait_until(&s->c, &s->m, soon(seed));
        }
    }
    rn_mutex_unlock(&s->m);
}

static void signal_check(void *p)
{
    struct signal_scene *s = p;
    CHECK_EQ(s->got, s->all);
    CHECK_EQ(s->tokens, 0);
    CHECK_EQ(s->c.rn_queue, 0);
}

ITEM(4, "cond: one signal per token, half of the waiters give up now and then")
{
    static struct signal_scene s;
    play(signal_part, &s, signal_reset, signal_check);
}

/* ----------------------------------------------------------------------------------- semaphore */

enum { UNITS = 5 };
struct sem_scene {
    rn_sem sem;
    _Atomic(int64_t) inside, most, entered;
    int64_t rounds;
};

static void sem_reset(void *p)
{
    struct sem_scene *s = p;
    *s = (struct sem_scene){.sem = RN_SEM_INIT(UNITS),
                            .rounds = test_scale(TEST_SANITIZED ? 3000 : 12000, 60)};
}

static void sem_part(void *p, uint64_t *seed)
{
    struct sem_scene *s = p;
    for (int64_t i = 0; i < s->rounds; i++) {
        int64_t n = (int64_t)(test_random(seed) % UNITS) + 1;
        uint64_t how = test_random(seed) % 8;
        if (how < 3) {
            rn_sem_acquire(&s->sem, n);
        } else if (how == 3) {
            if (!rn_sem_tryacquire(&s->sem, n))
                continue;
        } else {
            int64_t deadline = soon(seed);
            int err = rn_sem_acquire_until(&s->sem, n, deadline);
            CHECK(err == 0 || err == -ETIMEDOUT);
            if (err != 0)
                continue;
        }
        int64_t now = atomic_fetch_add(&s->inside, n) + n;
        CHECK(now <= UNITS);
        if (test_random(seed) % 32 == 0)
            rn_yield();
        atomic_fetch_sub(&s->inside, n);
        rn_sem_release(&s->sem, n);
        atomic_fetch_add(&s->entered, 1);
    }
}

static void sem_check(void *p)
{
    struct sem_scene *s = p;
    CHECK(s->entered > 0);
    CHECK_EQ(rn_sem_available(&s->sem), UNITS);
    CHECK(s->sem.rn_waiters == NULL && s->sem.rn_word == UNITS << 2);
}

ITEM(5, "semaphore: weights, never more inside than there is, all of it back in the end")
{
    static struct sem_scene s;
    play(sem_part, &s, sem_reset, sem_check);
}

/* ------------------------------------------------------------------------------------- barrier */

enum { PARTIES = 3 };
struct barrier_scene {
    rn_barrier b;
    _Atomic(int64_t) passed, serial;
    int64_t rounds;
    _Atomic(bool) over;
};

static void barrier_reset(void *p)
{
    struct barrier_scene *s = p;
    *s = (struct barrier_scene){.b = RN_BARRIER_INIT(PARTIES),
                                .rounds = test_scale(TEST_SANITIZED ? 2000 : 8000, 40)};
}

/* More callers than parties; each leaves when it has passed often enough or all have got what they want. */
static void barrier_part(void *p, uint64_t *seed)
{
    struct barrier_scene *s = p;
    for (int64_t i = 0; i < s->rounds && !atomic_load(&s->over);) {
        int r = rn_barrier_wait_until(&s->b, soon(seed) + RN_US);
        CHECK(r == 0 || r == 1 || r == -ETIMEDOUT);
        if (r < 0)
            continue;
        i++;
        atomic_fetch_add(&s->passed, 1);
        if (r == 1)
            atomic_fetch_add(&s->serial, 1);
    }
    atomic_store(&s->over, true);
}

static void barrier_check(void *p)
{
    struct barrier_scene *s = p;
    CHECK_EQ(s->passed, PARTIES * s->serial);
    CHECK(s->serial > 0);
    CHECK_EQ(s->b.rn_queue, 0);
    CHECK_EQ(s->b.rn_arrived, 0);
}

ITEM(6, "barrier: as many pass as phases times parties, whoever gives up in between")
{
    static struct barrier_scene s;
    play(barrier_part, &s, barrier_reset, barrier_check);
}

/* ---------------------------------------------------------------------------------- wait group */

struct group {
    rn_waitgroup wg;
    _Atomic(int) users; /* the last one frees it */
    _Atomic(int) worked;
};
enum { GROUPS = 16, WORK = 3, WAITERS = 3 };
struct group_scene {
    struct group *group[GROUPS];
    rn_waitgroup all;
    _Atomic(int64_t) zero, late;
};

static void leave(struct group *g)
{
    if (atomic_fetch_sub(&g->users, 1) == 1) {
        memset(g, 0xDB, sizeof *g); /* a late access would find no group */
        free(g);
    }
}

struct group_job {
    struct group_scene *s;
    struct group *g;
    uint64_t seed;
    bool limited;
};

static void group_work(void *p)
{
    struct group_job *j = p;
    atomic_fetch_add(&j->g->worked, 1);
    rn_waitgroup_done(&j->g->wg);
    leave(j->g);
    rn_waitgroup_done(&j->s->all);
}

static void group_wait(void *p)
{
    struct group_job *j = p;
    if (!j->limited) {
        rn_waitgroup_wait(&j->g->wg);
    } else if (rn_waitgroup_wait_until(&j->g->wg, soon(&j->seed)) != 0) {
        atomic_fetch_add(&j->s->late, 1);
        goto out;
    }
    CHECK_EQ(j->g->worked, WORK);
    atomic_fetch_add(&j->s->zero, 1);
out:
    leave(j->g);
    rn_waitgroup_done(&j->s->all);
}

static void *group_wait_in_thread(void *p)
{
    group_wait(p);
    return NULL;
}

ITEM(7, "wait group: deadlines that race with the last done; the last one out frees")
{
    int64_t rounds = test_scale(TEST_SANITIZED ? 100 : 400, 4);
    static struct group_scene s;
    static struct group_job work[GROUPS][WORK], wait[GROUPS][WAITERS];
    uint64_t seed = 1;
    for (int64_t r = 0; r < rounds; r++) {
        rn_gomaxprocs(worker_counts[r % WORKER_COUNTS]);
        pthread_t t[2];
        s.zero = s.late = 0;
        rn_waitgroup_add(&s.all, GROUPS * (WORK + WAITERS));
        for (int i = 0; i < GROUPS; i++) {
            struct group *g = s.group[i] = calloc(1, sizeof *g);
            CHECK(g != NULL);
            g->users = WORK + WAITERS;
            rn_waitgroup_add(&g->wg, WORK);
        }
        for (int i = 0; i < GROUPS; i++) {
            for (int k = 0; k < WAITERS; k++) {
                wait[i][k] = (struct group_job){&s, s.group[i], test_random(&seed), k > 0};
                if (i < 2 && k == 1)
                    CHECK(pthread_create(&t[i], NULL, group_wait_in_thread, &wait[i][k]) == 0);
                else
                    test_go(group_wait, &wait[i][k]);
            }
            for (int k = 0; k < WORK; k++) {
                work[i][k] = (struct group_job){&s, s.group[i], 0, false};
                test_go(group_work, &work[i][k]);
            }
        }
        rn_waitgroup_wait(&s.all);
        for (int i = 0; i < 2; i++)
            pthread_join(t[i], NULL);
        WAIT_GONE(1);
        CHECK_EQ(s.zero + s.late, GROUPS * WAITERS);
        CHECK(s.zero >= GROUPS);
    }
}

TEST_MAIN
