/*
 * contexts.c - cancellation racing with everything: hand-overs, after functions, children that come
 * and go, deadlines, and the waits of locks.
 *
 * Invariants
 *  - A hand-over that reports success was received, one that reports an error was not.
 *  - Each after function either was stopped, and the stop said so, or ran once.
 *  - When a cancel has returned, all below it are cancelled, whoever else cancels there.
 *  - How often which side wins a race does not matter.
 *
 * runnel-test: timeout=600
 */
#include "account.h"

static int64_t soon(uint64_t *seed)
{
    static const int64_t most[] = {0, 1, 5, 20, 100};
    return (int64_t)(test_random(seed) % 1000) * most[test_random(seed) % 5];
}

/* Runs fn(arg) in n goroutines, of which the first `foreign` are threads, and waits for all. */
static void crowd(int n, int foreign, void (*fn)(void *), void *(*thread)(void *), void *arg)
{
    pthread_t t[2];
    for (int i = foreign; i < n; i++)
        test_go(fn, arg);
    for (int i = 0; i < foreign; i++)
        CHECK(pthread_create(&t[i], NULL, thread, arg) == 0);
    WAIT_UNTIL(rn_num_goroutine() == 1);
    for (int i = 0; i < foreign; i++)
        pthread_join(t[i], NULL);
    WAIT_GONE(1);
}

/* ---- 1: hand-overs that contexts end */

enum { SENDERS = 4, RECEIVERS = 4 };

struct race {
    chan(elem) c;
    rn_ctx *all; /* cancelled when the senders are through */
    uint32_t attempts;
    _Atomic(uint32_t) next_party, sending;
    _Atomic(int64_t) broken;
    book sent, got;
};

static void cancel_and_forget(void *ctx)
{
    rn_ctx_cancel(ctx, "racing");
    rn_ctx_unref(ctx);
}

/* A context that ends soon, one way or another. */
static rn_ctx *short_lived(rn_ctx *parent, uint64_t *seed)
{
    if (test_random(seed) % 3 == 0) {
        rn_ctx *ctx = rn_ctx_with_cancel(parent);
        go1(cancel_and_forget, rn_ctx_ref(ctx));
        return ctx;
    }
    return rn_ctx_with_timeout(parent, soon(seed));
}

static void send_some(struct race *r, uint32_t me)
{
    uint64_t seed = me;
    ledger l = {0, 0};
    int64_t broken = 0;
    for (uint32_t seq = 1; seq <= r->attempts; seq++) {
        elem e = make_elem(me, seq);
        rn_ctx_auto ctx = short_lived(r->all, &seed);
        bool sent;
        if (seq % 2 == 0) {
            int err = chan_put_ctx(r->c, ctx, e);
            CHECK(err == 0 || (err == rn_ctx_err(ctx) && err != -EPIPE));
            sent = err == 0;
        } else {
            sent = chan_select(on_ctx(ctx), on_send(r->c, e)) == 1;
            CHECK(sent || rn_ctx_err(ctx) != 0);
        }
        if (sent)
            enter(&l, e);
        else
            broken++;
    }
    merge(&r->sent, &l);
    atomic_fetch_add(&r->broken, broken);
    if (atomic_fetch_sub(&r->sending, 1) == 1)
        rn_ctx_cancel(r->all, "all sent");
}

static void take_some(struct race *r, uint32_t me)
{
    uint64_t seed = me;
    uint32_t newest[SENDERS + RECEIVERS] = {0};
    ledger l = {0, 0};
    while (rn_ctx_err(r->all) == 0) {
        elem e = {0, 0, 0};
        rn_ctx_auto ctx = short_lived(r->all, &seed);
        int err = chan_take_ctx(r->c, ctx, &e);
        if (err != 0) {
            CHECK(err == -ECANCELED || err == -ETIMEDOUT);
            CHECK_EQ(e.sender | e.seq | e.check, 0);
            continue;
        }
        CHECK_ELEM(e, &newest[e.sender]);
        enter(&l, e);
    }
    merge(&r->got, &l);
}

static void party(void *p)
{
    struct race *r = p;
    uint32_t me = atomic_fetch_add(&r->next_party, 1);
    if (me < SENDERS)
        send_some(r, me);
    else
        take_some(r, me);
}

static void *party_thread(void *p)
{
    party(p);
    return NULL;
}

static int64_t hand_over(int64_t cap, int64_t attempts, int foreign)
{
    static struct race r;
    memset(&r, 0, sizeof r);
    r.attempts = (uint32_t)attempts;
    r.sending = SENDERS;
    r.c = chan_make(elem, cap);
    r.all = rn_ctx_with_cancel(rn_ctx_background());
    crowd(SENDERS + RECEIVERS, foreign, party, party_thread, &r);
    ledger rest = {0, 0};
    elem e;
    while (chan_try_recv(r.c, &e, NULL))
        enter(&rest, e);
    merge(&r.got, &rest);
    CHECK_BALANCE(&r.sent, &r.got);
    CHECK(r.all->scope->children == NULL);
    chan_unref(r.c);
    rn_ctx_unref(r.all);
    return r.sent.n;
}

ITEM(1, "put, take and select with contexts that end meanwhile, foreign threads too")
{
    int64_t n = 0;
    for (int w = 0; w < 3; w++) {
        rn_gomaxprocs(worker_counts[w]);
        for (int64_t cap = 0; cap < 2; cap++)
            for (int foreign = 0; foreign <= 2; foreign += 2)
                n += hand_over(cap, test_scale(3000, 50), foreign);
    }
    report_elements(n);
}

/* ---- 2: a tree that grows and dies at all ends */

enum { LIMBS = 4 };

struct forest {
    rn_ctx *root, *limb[LIMBS];
    int rounds;
    _Atomic(int64_t) registered, stopped, ran;
    _Atomic(uint64_t) seed;
};

static struct forest forest;

static void after(void *p)
{
    CHECK(p == &forest);
    atomic_fetch_add(&forest.ran, 1);
}

static void grow_and_cut(void *p)
{
    struct forest *f = p;
    uint64_t seed = atomic_fetch_add(&f->seed, 1);
    for (int i = 0; i < f->rounds; i++) {
        rn_ctx *limb = f->limb[test_random(&seed) % LIMBS];
        rn_ctx_auto twig = test_random(&seed) % 2 ? rn_ctx_with_cancel(limb)
                                                  : rn_ctx_with_timeout(limb, soon(&seed));
        rn_ctx_auto shown = rn_ctx_with_cancel(twig);
        rn_ctx_auto leaf = rn_ctx_with_cancel(shown);
        rn_ctx_after *a = rn_ctx_after_func(leaf, after, f);
        atomic_fetch_add(&f->registered, 1);
        recv_chan(rn_unit) done = test_random(&seed) % 2 ? rn_ctx_done(leaf) : NULL;
        if (test_random(&seed) % 8 == 0)
            rn_yield();
        switch (test_random(&seed) % 4) {
        case 0:
            rn_ctx_cancel(twig, "twig");
            CHECK(rn_ctx_err(leaf) != 0 && rn_ctx_err(shown) != 0);
            CHECK(done == NULL || chan_try_recv(done, NULL, NULL));
            break;
        case 1: rn_ctx_cancel(shown, NULL); break;
        default: break; /* given back alive, with an after function on it */
        }
        if (test_random(&seed) % 2)
            atomic_fetch_add(&f->stopped, rn_ctx_after_stop(a));
        rn_ctx_after_unref(a);
    }
}

/* Cuts a whole limb now and then while others cut below it. */
static void cut_limb(void *p)
{
    rn_ctx *limb = p;
    rn_ctx_auto twig = rn_ctx_with_cancel(limb);
    rn_ctx_auto leaf = rn_ctx_with_cancel(twig);
    for (int i = 0; i < 5; i++)
        rn_yield();
    rn_ctx_cancel(limb, "limb");
    CHECK(rn_ctx_err(twig) != 0 && rn_ctx_err(leaf) != 0);
}

static void *grow_in_thread(void *p)
{
    grow_and_cut(p);
    return NULL;
}

static void plant(int rounds, int foreign)
{
    struct forest *f = &forest;
    f->registered = f->stopped = f->ran = 0;
    f->rounds = rounds;
    f->root = rn_ctx_with_cancel(rn_ctx_background());
    for (int i = 0; i < LIMBS; i++)
        f->limb[i] = rn_ctx_with_cancel(f->root);
    for (int i = 0; i < LIMBS / 2; i++)
        test_go(cut_limb, f->limb[i]);
    crowd(6, foreign, grow_and_cut, grow_in_thread, f);
    rn_ctx_cancel(f->root, "felled"); /* what was given back alive and waited runs now */
    WAIT_UNTIL(f->ran + f->stopped == f->registered);
    WAIT_GONE(1);
    CHECK_EQ(f->ran + f->stopped, f->registered);
    for (int i = 0; i < LIMBS; i++) {
        CHECK(rn_ctx_err(f->limb[i]) == -ECANCELED && f->limb[i]->scope->children == NULL);
        rn_ctx_unref(f->limb[i]);
    }
    CHECK(f->root->scope->children == NULL);
    rn_ctx_unref(f->root);
}

ITEM(2, "children and after functions come and go while all ends of the tree are cancelled")
{
    for (int w = 0; w < 3; w++) {
        rn_gomaxprocs(worker_counts[w]);
        for (int foreign = 0; foreign <= 2; foreign++)
            for (int i = 0; i < 3; i++)
                plant((int)test_scale(1500, 30), foreign);
    }
}

/* ---- 3: locks */

struct locks {
    rn_mutex m;
    rn_rwmutex rw;
    rn_sem sem;
    rn_cond cond;
    rn_mutex cm;
    int64_t counted; /* guarded by m */
    int64_t tokens;  /* guarded by cm */
    _Atomic(int64_t) in_sem, readers, writers;
    _Atomic(int64_t) broken, made, taken, locked;
    _Atomic(uint64_t) seed;
    int rounds;
};

static struct locks locks;

static void use_locks(void *p)
{
    struct locks *l = p;
    uint64_t seed = atomic_fetch_add(&l->seed, 1);
    int64_t broken = 0;
    for (int i = 0; i < l->rounds; i++) {
        rn_ctx_auto ctx = short_lived(rn_ctx_background(), &seed);
        int err;
        switch (test_random(&seed) % 6) {
        case 0:
            err = rn_mutex_lock_ctx(&l->m, ctx);
            if (err == 0) {
                l->counted++;
                atomic_fetch_add(&l->locked, 1);
                if (i % 8 == 0)
                    rn_yield();
                rn_mutex_unlock(&l->m);
            }
            break;
        case 1:
            err = rn_rwmutex_rlock_ctx(&l->rw, ctx);
            if (err == 0) {
                atomic_fetch_add(&l->readers, 1);
                CHECK_EQ(l->writers, 0);
                if (i % 8 == 0)
                    rn_yield();
                atomic_fetch_sub(&l->readers, 1);
                rn_rwmutex_runlock(&l->rw);
            }
            break;
        case 2:
            err = rn_rwmutex_lock_ctx(&l->rw, ctx);
            if (err == 0) {
                CHECK_EQ(atomic_fetch_add(&l->writers, 1), 0);
                CHECK_EQ(l->readers, 0);
                if (i % 8 == 0)
                    rn_yield();
                atomic_fetch_sub(&l->writers, 1);
                rn_rwmutex_unlock(&l->rw);
            }
            break;
        case 3: {
            int64_t n = 1 + (int64_t)(test_random(&seed) % 3);
            err = rn_sem_acquire_ctx(&l->sem, n, ctx);
            if (err == 0) {
                CHECK(atomic_fetch_add(&l->in_sem, n) + n <= 3);
                if (i % 8 == 0)
                    rn_yield();
                atomic_fetch_sub(&l->in_sem, n);
                rn_sem_release(&l->sem, n);
            }
            break;
        }
        case 4:
            err = 0;
            rn_mutex_lock(&l->cm);
            while (l->tokens == 0 && err == 0)
                err = rn_cond_wait_ctx(&l->cond, &l->cm, ctx);
            if (l->tokens > 0) {
                l->tokens--;
                atomic_fetch_add(&l->taken, 1);
                err = 0;
            }
            rn_mutex_unlock(&l->cm);
            break;
        default:
            rn_mutex_lock(&l->cm);
            l->tokens++;
            rn_cond_signal(&l->cond);
            rn_mutex_unlock(&l->cm);
            atomic_fetch_add(&l->made, 1);
            err = rn_sleep_ctx(ctx, soon(&seed));
        }
        if (err != 0)
            CHECK_EQ(err, rn_ctx_err(ctx));
        broken += err != 0;
    }
    atomic_fetch_add(&l->broken, broken);
}

static void *use_in_thread(void *p)
{
    use_locks(p);
    return NULL;
}

ITEM(3, "mutex, rwmutex, semaphore, condition and sleep with contexts that end meanwhile")
{
    struct locks *l = &locks;
    for (int w = 0; w < 3; w++) {
        rn_gomaxprocs(worker_counts[w]);
        for (int foreign = 0; foreign <= 2; foreign++) {
            memset(l, 0, sizeof *l);
            l->sem = (rn_sem)RN_SEM_INIT(3);
            l->rounds = (int)test_scale(3000, 50);
            crowd(8, foreign, use_locks, use_in_thread, l);
            CHECK_EQ(l->counted, l->locked);
            CHECK_EQ(l->tokens, l->made - l->taken);
            CHECK(rn_mutex_trylock(&l->m) && rn_mutex_trylock(&l->cm));
            CHECK(rn_rwmutex_trylock(&l->rw));
            CHECK(rn_sem_tryacquire(&l->sem, 3));
        }
    }
}

/* ---- 4: groups */

static void start_member(rn_group *g, int depth, _Atomic(int64_t) *alive);

static int member(rn_ctx *ctx, int depth, _Atomic(int64_t) *alive)
{
    atomic_fetch_add(alive, 1);
    uint64_t seed = (uint64_t)depth + (uint64_t)atomic_load(alive);
    int err = 0;
    if (depth > 0) {
        rn_group_auto(g, ctx);
        rn_group_set_limit(&g, 1 + depth % 3);
        for (int i = 0; i < 4; i++)
            start_member(&g, depth - 1, alive);
        err = rn_group_wait(&g);
    } else if (test_random(&seed) % 4 == 0) {
        err = -EIO;
    } else {
        err = rn_sleep_ctx(ctx, soon(&seed));
    }
    atomic_fetch_sub(alive, 1);
    return err;
}
GO_FUNC(member, rn_ctx *, int, _Atomic(int64_t) *);

static void start_member(rn_group *g, int depth, _Atomic(int64_t) *alive)
{
    rn_group_go(g, member, rn_group_ctx(g), depth, alive);
}

ITEM(4, "groups in groups, with limits and failures: nobody outlives his group")
{
    int64_t failed = 0;
    for (int w = 0; w < 3; w++) {
        rn_gomaxprocs(worker_counts[w]);
        for (int i = 0; i < (int)test_scale(60, 5); i++) {
            _Atomic(int64_t) alive = 0;
            int err = member(rn_ctx_background(), 3, &alive);
            CHECK(err == 0 || err == -EIO || err == -ECANCELED);
            CHECK_EQ(alive, 0);
            failed += err != 0;
            WAIT_UNTIL(rn_num_goroutine() == 1);
        }
    }
    CHECK(failed > 0);
}

TEST_MAIN
